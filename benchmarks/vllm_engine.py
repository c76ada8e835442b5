"""Tokens a second of the engine `vllm` beside bare `LLM.generate`, asked for the same solutions.

Each has a process of its own and they take turns, so that a change in the machine's speed hits both. isocost asks for batches, two under
way at once, as a run does. Bare vLLM gets all requests in one call: once with the same seeds, once as it is mostly used, unseeded with
n solutions a prompt. Without a GPU: .venv-vllm/bin/python benchmarks/vllm_engine.py --eager (docs/vllm.md).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.ids import seed_of
from isocost.lab import weights
from isocost.problems import load_problems
from isocost.records import SamplingParams

PARAMS = SamplingParams(temperature=0.8, max_tokens=96)
PEERS = {"isocost": "isocost, engine vllm", "seeded": "LLM.generate, same seeds", "unseeded": "LLM.generate, n, no seeds"}
MEMORY = 0.4  # of the device, for each of the two
Draws = list[tuple[str, int]]  # text and generated tokens of each solution, by problem and index


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(weights("weak")), help="folder or name on the hub")
    parser.add_argument("--problems", type=int, default=32, help="problems asked")
    parser.add_argument("--samples", type=int, default=8, help="solutions of each")
    parser.add_argument("--batch-size", type=int, default=64, help="solutions a batch")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--eager", action="store_true", help="without compiled graphs: minutes less to start, on a CPU")
    given = parser.parse_args()
    if find_spec("vllm") is None:
        print("vllm_engine: skipped, vLLM is not installed (make test-vllm sets up .venv-vllm)")
        return
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    context = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for side, serve in (("isocost", serve_isocost), ("bare", serve_bare)):
        pipes[side], theirs = context.Pipe()
        processes.append(context.Process(target=serve, args=(theirs, given)))
        processes[-1].start()
    speeds: dict[str, list[float]] = {peer: [] for peer in PEERS}
    same = total = 0
    for seed in range(-1, given.repeats):  # the first turn only warms up
        texts = {}
        for peer in list(PEERS)[:: 1 if seed % 2 else -1]:
            pipe = pipes["isocost" if peer == "isocost" else "bare"]
            pipe.send((peer, seed))
            seconds, draws = pipe.recv()
            texts[peer] = [text for text, _ in draws]
            if seed >= 0:
                speeds[peer].append(sum(tokens for _, tokens in draws) / seconds)
        same += sum(mine == other for mine, other in zip(texts["isocost"], texts["seeded"], strict=True))
        total += len(texts["isocost"])
    report(speeds)
    print(f"medians and ranges of {given.repeats} repeats, {given.problems} problems x {given.samples} solutions")
    print(f"same text as with the same seeds: {same} of {total}", flush=True)
    for pipe in pipes.values():
        pipe.send(None)
    for process in processes:
        process.join()


def report(speeds: dict[str, list[float]]) -> None:
    for peer, found in speeds.items():
        ratios = [mine / other for mine, other in zip(speeds["isocost"], found, strict=True)]
        print(
            f"{PEERS[peer]:26} {statistics.median(found):9,.0f} tokens/s ({min(found):,.0f} to {max(found):,.0f})"
            + ("" if peer == "isocost" else f"  isocost / this {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
        )


def asked(given: argparse.Namespace) -> list[Request]:
    return [
        Request(problem_id=problem.id, prompt=f"Q: {problem.question}\nA:\n", first_index=0, count=given.samples)
        for problem in load_problems("lab", {"split": "train", "limit": given.problems}, base=Path.cwd())
    ]


def serve_isocost(pipe: Connection, given: argparse.Namespace) -> None:
    options = {"model": given.model, "batch_size": given.batch_size, "gpu_memory_utilization": MEMORY, "enforce_eager": given.eager}
    engine = load_engine("vllm", options, base=Path.cwd())
    requests = asked(given)
    batches = engine.batches(requests)

    def answer(_peer: str, seed: int) -> Draws:
        with ThreadPoolExecutor(engine.concurrency) as threads:
            answers = threads.map(lambda batch: engine.generate(batch, PARAMS, seed), batches)
            found = {
                (request.problem_id, request.first_index + place): (generation.text, generation.num_generated_tokens)
                for batch, generations in zip(batches, answers, strict=True)
                for request, of_request in zip(batch, generations, strict=True)
                for place, generation in enumerate(of_request)
            }
        return [found[request.problem_id, index] for request in requests for index in range(request.count)]

    serve(pipe, answer)
    engine.close()


def serve_bare(pipe: Connection, given: argparse.Namespace) -> None:
    import vllm

    llm = vllm.LLM(given.model, gpu_memory_utilization=MEMORY, enforce_eager=given.eager)
    requests = asked(given)

    def answer(peer: str, seed: int) -> Draws:
        plain = {"temperature": PARAMS.temperature, "top_p": PARAMS.top_p, "top_k": PARAMS.top_k, "max_tokens": PARAMS.max_tokens}
        if peer == "unseeded":
            outputs = llm.generate([r.prompt for r in requests], vllm.SamplingParams(n=given.samples, **plain), use_tqdm=False)
        else:
            draws = [(r.prompt, seed_of(seed, r.problem_id, index)) for r in requests for index in range(r.count)]
            params = [vllm.SamplingParams(seed=own, **plain) for _, own in draws]
            outputs = llm.generate([prompt for prompt, _ in draws], params, use_tqdm=False)
        return [(completion.text, len(completion.token_ids)) for output in outputs for completion in output.outputs]

    serve(pipe, answer)
    llm.llm_engine.engine_core.shutdown()  # else this process waits for vLLM's for ever


def serve(pipe: Connection, answer: Callable[[str, int], Draws]) -> None:
    """Answer until told to stop: how long it took, and the draws."""
    while turn := pipe.recv():
        started = time.perf_counter()
        draws = answer(*turn)
        pipe.send((time.perf_counter() - started, draws))


if __name__ == "__main__":
    main()
