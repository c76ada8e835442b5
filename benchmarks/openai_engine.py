"""Requests a second of the openai engine beside a bare asyncio loop over the same client library, the same requests, as many at once.

Three processes: a server on this machine that answers instantly, one that calls `generate` from as many threads as the engine asks for,
and one with the bare loop. The two take turns, so that a change in the machine's speed hits both. Prints the ratio of the medians.
Run from the repository's root: `python benchmarks/openai_engine.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import openai

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.records import SamplingParams

PARAMS = SamplingParams(temperature=0.8, max_tokens=256)
PROMPT = "Solve the problem and end with the answer. " * 20
WARM_UP = 200


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--completions", action="store_true", help="plain completions rather than chat")
    given = parser.parse_args()
    command = [sys.executable, "-m", "tests.engines.openai.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        run = [partial(rate, url, given.concurrency, not given.completions) for rate in (engine_rates, bare_rates)]
        rates = list(zip(*alternate(run, given.requests, given.repeats), strict=True))
        server.terminate()
    ours, bare = ([*of_one] for of_one in rates)
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"isocost engine   {statistics.median(ours):8,.0f} requests/s ({min(ours):,.0f} to {max(ours):,.0f})")
    print(f"bare loop        {statistics.median(bare):8,.0f} requests/s ({min(bare):,.0f} to {max(bare):,.0f})")
    api = "completions" if given.completions else "chat"
    print(f"ratio            {ratio:8.2f}   ({given.requests} {api} requests, {given.concurrency} at once, {given.repeats} repeats)")


def alternate(runs: Sequence[Callable[[Connection], None]], requests: int, repeats: int) -> Iterator[list[float]]:
    """The rates of each run, a list a repeat, each run in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ends, processes = [], []
    for run in runs:
        here, there = context.Pipe()
        processes.append(context.Process(target=run, args=(there,)))
        processes[-1].start()
        ends.append(here)
    for number in [WARM_UP, *[requests] * repeats]:
        rates = []
        for end in ends:
            end.send(number)
            rates.append(end.recv())
        if number == requests:
            yield rates
    for end, process in zip(ends, processes, strict=True):
        end.send(0)
        process.join()


def engine_rates(url: str, concurrency: int, chat: bool, orders: Connection) -> None:
    engine = load_engine("openai", {"model": "tiny", "base_url": url, "concurrency": concurrency}, base=Path())
    with ThreadPoolExecutor(concurrency) as threads:
        while number := orders.recv():
            batches = engine.batches(
                [Request(problem_id=f"{i:06}", prompt=PROMPT, first_index=0, count=1, chat=chat) for i in range(number)]
            )
            started, tokens = time.perf_counter(), 0
            for answers in threads.map(lambda batch: engine.generate(batch, PARAMS, 0), batches):
                tokens += answers[0][0].num_generated_tokens
            orders.send(number / (time.perf_counter() - started))
    engine.close()


def bare_rates(url: str, concurrency: int, chat: bool, orders: Connection) -> None:
    asyncio.run(bare_loop(url, concurrency, chat, orders))


async def bare_loop(url: str, concurrency: int, chat: bool, orders: Connection) -> None:
    client = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0)
    ask = ask_chat if chat else ask_plain
    while number := orders.recv():
        seeds, tokens = iter(range(number)), list[int]()

        async def worker(seeds: Iterator[int], tokens: list[int]) -> None:
            for seed in seeds:
                tokens.append(await ask(client, seed))

        started = time.perf_counter()
        await asyncio.gather(*(worker(seeds, tokens) for _ in range(concurrency)))
        orders.send(number / (time.perf_counter() - started))
    await client.close()


async def ask_chat(client: openai.AsyncOpenAI, seed: int) -> int:
    reply = await client.chat.completions.create(
        model="tiny",
        messages=[{"role": "user", "content": PROMPT}],
        temperature=PARAMS.temperature,
        top_p=PARAMS.top_p,
        max_tokens=PARAMS.max_tokens,
        seed=seed,
    )
    return reply.usage.completion_tokens if reply.usage and reply.choices[0].message.content else 0


async def ask_plain(client: openai.AsyncOpenAI, seed: int) -> int:
    reply = await client.completions.create(
        model="tiny", prompt=PROMPT, temperature=PARAMS.temperature, top_p=PARAMS.top_p, max_tokens=PARAMS.max_tokens, seed=seed
    )
    return reply.usage.completion_tokens if reply.usage and reply.choices[0].text else 0


if __name__ == "__main__":
    main()
