"""Small files in the forms of other tools, after their own code: what they write, with the fields that they write it under."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import yaml

Rows = list[dict[str, Any]]


def lines(path: Path, rows: Iterable[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8")
    return path


def nemo(path: Path, verdicts: Iterable[object], **more: object) -> Path:
    rows = [
        {"problem": f"What is {i}?", "expected_answer": str(i), "generation": f"\\boxed{{{i}}}", "num_generated_tokens": 5}
        | {"predicted_answer": str(i), "symbolic_correct": verdict, "generation_time": 0.2, "_async_position": i, **more}
        for i, verdict in enumerate(verdicts)
    ]
    return lines(path, rows)


def harness(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Rows of lm-evaluation-harness; `responses` are the strings of one request."""
    return lines(
        path,
        (
            {"doc_id": row["doc"], "doc": {"question": "?", "answer": "#### 7"}, "target": "so 6 + 1 = 7\n#### 7"}
            | {"arguments": {"gen_args_0": {"arg_0": "Q"}}, "resps": [row["responses"]], "filtered_resps": row["filtered"]}
            | {"filter": row.get("filter", "strict-match"), "metrics": list(row["metrics"]), "doc_hash": "a", **row["metrics"]}
            for row in rows
        ),
    )


def inspect_log(samples: Iterable[Mapping[str, Any]], model: str = "openai/gpt-4o-mini") -> dict[str, Any]:
    return {"version": 2, "status": "success", "eval": {"task": "gsm8k", "model": model}, "samples": list(samples)}


def inspect_sample(key: object, epoch: int, scores: Mapping[str, object], **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "ANSWER: 4", "source": "generate"}
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    return {
        "id": key,
        "epoch": epoch,
        "input": "What is 2 + 2?",
        "target": "4",
        "messages": [{"role": "user", "content": "What is 2 + 2?"}, message],
        "output": {"model": "gpt", "choices": [{"message": message, "stop_reason": "stop"}], "completion": "ANSWER: 4", "usage": usage},
        "scores": {name: {"value": value, "answer": "4", "explanation": "x"} for name, value in scores.items()},
        "model_usage": {"openai/gpt-4o-mini": usage},
        **more,
    }


def write_eval(path: Path, log: Mapping[str, Any], *, zstandard: bool = False) -> Path:
    """An `.eval` archive: a header, and a member per sample."""
    members = {"header.json": {**log, "samples": None}, "summaries.json": []}
    members |= {f"samples/{sample['id']}_epoch_{sample['epoch']}.json": sample for sample in log["samples"]}
    texts = {name: json.dumps(value).encode() for name, value in members.items()}
    if zstandard:
        path.write_bytes(zip_of_zstandard(texts))
        return path
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return path


def zip_of_zstandard(members: Mapping[str, bytes]) -> bytes:
    """A zip archive whose members are compressed by method 93, which Python's zipfile does not write."""
    body, directory = b"", b""
    for name, content in members.items():
        packed = pa.compress(content, codec="zstd", asbytes=True)
        sizes = struct.pack("<IIIHH", zlib.crc32(content), len(packed), len(content), len(name.encode()), 0)
        common = struct.pack("<HHHHH", 63, 0, 93, 0, 33)
        directory += b"PK\x01\x02" + struct.pack("<H", 63) + common + sizes + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name.encode()
        body += b"PK\x03\x04" + common + sizes + name.encode() + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def rollout(example: int, reward: float, **more: object) -> dict[str, Any]:
    return {
        "example_id": example,
        "prompt": [{"role": "user", "content": "2 + 2?"}],
        "completion": [{"role": "assistant", "content": "It is 4."}],
        "answer": "4",
        "reward": reward,
        "timing": {"total_ms": 1.0},
        "is_completed": True,
        "is_truncated": False,
        "metrics": {"num_turns": 1.0},
        "num_turns": 1.0,
        "token_usage": {"input_tokens": 9.0, "output_tokens": 5.0},
        **more,
    }


def trace(key: str, rewards: Mapping[str, Any], **more: object) -> dict[str, Any]:
    return {
        "version": 1,
        "id": "f00",
        "task": {"type": "Gsm8k", "data": {"prompt": "2 + 2?", "answer": "#### 4"}, "key": key},
        "agent": {"config": {"model": "qwen/qwen3-8b"}, "name": "solver"},
        "nodes": [
            {"message": {"role": "user", "content": "2 + 2?"}},
            {"parent": 0, "message": {"role": "assistant", "content": "It is 4."}, "sampled": True},
        ],
        "calls": [{"node": 1, "finish_reason": "length", "usage": {"prompt_tokens": 9, "completion_tokens": 5}}],
        "rewards": rewards,
        "metrics": {"length": 5.0},
        "ok": True,
        **more,
    }


def generations(path: Path) -> Path:
    """A row of OpenR1-Math, as Parquet."""
    row = {
        "problem": "What is 2 + 2?",
        "answer": "4",
        "uuid": "u1",
        "is_reasoning_complete": [True, False],
        "generations": ["<think>2 + 2</think>\\boxed{4}", "<think>2 + "],
        "correctness_math_verify": [True, False],
        "correctness_llama": [None, True],
        "finish_reasons": ["stop", "length"],
        "messages": [{"role": "user", "content": "What is 2 + 2?"}],
    }
    pl.DataFrame([row]).write_parquet(path)
    return path


def evalplus_results(path: Path) -> Path:
    results = [("pass", "pass"), ("pass", "fail"), ("timeout", "fail")]
    each = [
        {"task_id": "HumanEval/0", "solution": f"def f(): return {i}", "base_status": base, "plus_status": plus, "base_fail_tests": []}
        for i, (base, plus) in enumerate(results)
    ]
    path.write_text(json.dumps({"date": "2026-11-01", "hash": "h", "eval": {"HumanEval/0": each}}), encoding="utf-8")
    return path


def monkeys(folder: Path) -> Path:
    folder.mkdir()
    for number, verdicts in {"7": [True, False], "12": [False, False]}.items():
        problem = {"prompt": "few-shot", "question": "2 + 2?", "samples": ["#### 4", "#### 5\n"], "gt_answer": "so\n#### 4"}
        text = yaml.dump({**problem, "is_corrects": verdicts}, sort_keys=True)
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    return folder
