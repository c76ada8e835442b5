"""A study on two endpoints: budgets and limit in US dollars hold, the bill is the ledger, and what a person reads is right."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from tests import openai_runs as runs
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

AMOUNTS = {"low": 0.01, "high": 0.03}
LIMIT = 0.2  # twice of what the run costs: a lost request is counted in full, and how many are lost differs
CHAT = {"form": "{question}", "chat": True, "system": "Be brief."}


def two(weak: Server, strong: Server, **changes: Any) -> dict[str, Any]:
    models = {"weak": runs.model(weak.url), "strong": runs.model(strong.url, "strong", n=4, concurrency=2)}
    return runs.raw(
        weak.url,
        models=models,
        prompt=CHAT,
        budgets={name: {"unit": "usd", "amount": amount, "basis": "realised"} for name, amount in AMOUNTS.items()},
        arms={name: {"models": [name]} for name in models},
        **changes,
    )


def price_of(row: dict[str, Any], prices: dict[str, float], sharing: int = 1) -> float:
    cached = row["num_cached_tokens"]
    prompt = prices["input"] * (row["num_prompt_tokens"] - cached) + prices.get("input_cache_read", prices["input"]) * cached
    return (prompt / sharing + prices["output"] * row["num_generated_tokens"]) / 1e6


@pytest.fixture(scope="module")
def finished() -> dict[str, tuple[Path, runs.Left]]:
    """What `bought` has made: the command line is for one test only, its run for all of them."""
    return {}


@pytest.fixture
def bought(finished: dict[str, tuple[Path, runs.Left]], tmp_path_factory: pytest.TempPathFactory, shell: Shell) -> tuple[Path, runs.Left]:
    """A finished run on an endpoint that caches every prompt in part, and one that now and then fails."""
    if "run" not in finished:
        folder = tmp_path_factory.mktemp("bought")
        with Server(every={"cached": 1}) as weak, Server(every={"500": 5, "429": 7}) as strong:
            path = runs.write(folder, two(weak, strong, limit={"unit": "usd", "amount": LIMIT}), n_problems=3)
            left = shell("run", path, "-o", folder / "out")
        assert left.code == 0, left
        finished["run"] = folder / "out", left
    return finished["run"]


def test_budgets_and_the_limit_hold_at_every_line(bought: tuple[Path, runs.Left]) -> None:
    out, _ = bought
    by_id = {(row["problem_id"], row["sample_index"], row["id"]): row for row in runs.stored(out)}
    assert len(by_id) == len(runs.stored(out))
    worst = {"weak": 0.0006, "strong": 0.0018}  # one draw's, prompt of 300 bytes and 20 tokens
    for arm in ("weak", "strong"):
        costs = {(r["problem_id"], r["sample_index"]): r["cost_usd"] for r in runs.stored(out, arm)}
        for budget, amount in AMOUNTS.items():
            lines = (out / "arms" / f"{arm}@{budget}" / "rounds.jsonl").read_text().splitlines()
            drawn = [
                costs[problem, index]
                for line in lines
                for problem, _, first, count in json.loads(line)["allocations"]
                for index in range(first, first + count)
            ]
            assert drawn
            assert sum(drawn) <= amount
            assert sum(drawn) + worst[arm] > amount
    balances = list(runs.balances(out))
    assert max(spent + reserved for spent, reserved in balances) <= LIMIT
    assert balances[-1][1] == 0


def test_choices_share_the_price_of_a_prompt_and_cached_tokens_have_their_own(bought: tuple[Path, runs.Left]) -> None:
    out, _ = bought
    for row in runs.stored(out, "weak"):
        assert row["num_cached_tokens"] == 2
        assert row["cost_usd"] == pytest.approx(price_of(row, runs.PRICES["weak"]))
    counts = {line["request"]: line["count"] for line in runs.ledger(out) if line["event"] == "done"}
    shared = [row for row in runs.stored(out, "strong") if counts[row["batch"]] == 4]
    assert shared
    for row in shared:
        assert row["cost_usd"] == pytest.approx(price_of(row, runs.PRICES["strong"], sharing=4))


def test_the_bill_is_the_ledger(bought: tuple[Path, runs.Left], shell: Shell) -> None:
    out, left = bought
    paid = {
        (name, event): sum(e["usd"] for e in runs.ledger(out) if e["event"] == event and models(out)[e["request"]] == name)
        for name in ("weak", "strong")
        for event in ("done", "lost")
    }
    assert paid["strong", "lost"] > 0
    spent, _ = list(runs.balances(out))[-1]
    assert sum(paid.values()) == pytest.approx(spent)
    for name in ("weak", "strong"):
        assert sum(r["cost_usd"] for r in runs.stored(out, name)) == pytest.approx(paid[name, "done"])
    with (out / "tables" / "bill.csv").open() as file:
        *lines, whole = csv.DictReader(file)
    by_model = {line["model"]: float(line["spent_usd"]) for line in lines if line["account"] == "Data"}
    for name in ("weak", "strong"):
        assert by_model[name] == pytest.approx(paid[name, "done"] + paid[name, "lost"])
    assert float(whole["spent_usd"]) == pytest.approx(spent)
    status = json.loads(shell("status", out, "--json").out)
    assert status["spent"]["usd"] == pytest.approx(spent)
    assert status["reserved"]["usd"] == 0
    accounts = {each["model"]: each for each in status["accounts"]}
    kinds = {event: sum(e["event"] == event for e in runs.ledger(out)) for event in ("lost", "retry")}
    assert (accounts["weak"]["lost"], accounts["weak"]["retries"]) == (0, 0)
    assert (accounts["strong"]["lost"], accounts["strong"]["retries"]) == (kinds["lost"], kinds["retry"])
    assert min(kinds.values()) > 0
    assert accounts["strong"]["lost_usd"] == pytest.approx(paid["strong", "lost"])
    cells = {cell["cell"]: cell for cell in status["cells"]}
    assert set(cells) == {f"{arm}@{budget}" for arm in ("weak", "strong") for budget in AMOUNTS}
    for cell in cells.values():
        assert 0 < cell["spent"] <= cell["amount"]
        assert cell["left"] == pytest.approx(cell["amount"] - cell["spent"])
        assert 0 < cell["planned"] <= cell["amount"] * 1.2
    assert f"{kinds['lost']} lost  {kinds['retry']} retries" in left.err


def models(out: Path) -> dict[str, str]:
    """The model of each request."""
    return {line["request"]: line["model"] for line in runs.ledger(out) if line["event"] == "reserve"}


def test_the_status_says_what_is_planned_spent_and_left(bought: tuple[Path, runs.Left], shell: Shell) -> None:
    lines = shell("status", bought[0]).out.splitlines()
    assert any(line.startswith("spent: $0.0") for line in lines)
    assert any(line.startswith("limit: $0.20, in flight at most $0.00, left $0.1") for line in lines)
    assert "| cell | samples | planned | spent | budget | left |" in lines
    assert any(line.startswith("| strong@high | ") and " | $0.030 | $0.00" in line for line in lines)


def test_at_the_limit_it_says_how_far_it_came(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server() as server:
        path = runs.write(tmp_path, runs.raw(server.url, limit={"unit": "usd", "amount": 0.002}))
        left = shell("run", path, "-o", out)
        n = len(runs.stored(out))
        spent, reserved = list(runs.balances(out))[-1]
        assert left.code == 1
        assert reserved == 0
        assert left.errors == [
            f"error: stopped at the limit: ${spent:.4f} of $0.0020 spent; the next request could cost up to $0.00028",
            f"  {n} of 24 samples are saved in {out}/samples.parquet; what they say: isocost measure {out}",
            "  raise limit.amount and run the same command again",
        ]
        assert spent <= 0.002 < spent + 0.00029 + 1e-9
        assert shell("run", path, "-o", out, "--set", "limit.amount=1").code == 0
        assert runs.completions(server) == len({row["id"] for row in runs.stored(out)}) == 24


def test_a_limit_below_one_request_buys_nothing(tmp_path: Path, shell: Shell) -> None:
    with Server() as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url, limit={"unit": "usd", "amount": 1e-5})), "-o", tmp_path / "out")
        assert runs.completions(server) == 0
    assert left.code == 1
    assert left.errors[0] == "error: stopped at the limit: $0.00 of $0.000010 spent; the next request could cost up to $0.00028"


def test_a_dry_run_shows_prompts_and_prices_and_asks_nobody(tmp_path: Path, shell: Shell) -> None:
    with Server() as server:
        raw = runs.raw(server.url, costs={"prices": "prices.yaml"}, prompt=CHAT, arms={"weak": {"models": ["weak"]}})
        raw["models"]["weak"].pop("price")
        raw["budgets"]["low"]["amount"] = 0.01
        path = runs.write(tmp_path, raw)
        prices = tmp_path / "prices.yaml"
        prices.write_text(yaml.safe_dump({"dated": "2026-11-01", "models": {"tiny": runs.PRICES["weak"]}}).replace("'", ""))
        dry, plan = shell("run", path, "--dry-run"), shell("plan", path)
        prices.write_text(prices.read_text().replace("input:", "inptu:"))
        typo = shell("run", path, "-o", tmp_path / "out")
        prices.write_text(prices.read_text().replace("inptu:", "input:").replace("tiny:", "tinny:"))
        other = shell("run", path, "-o", tmp_path / "out")
        assert server.requests.total() == 0
    assert (dry.code, plan.code) == (0, 0)
    assert dry.out.startswith(plan.out.rstrip())
    assert "(prices.yaml, 2026-11-01) | $0.00021 | 20 (equal, at max_tokens) |" in dry.out
    assert "| weak@low | $0.010 | weak | 6 | 48 | $0.0099 |" in dry.out
    assert "\nsystem: Be brief.\nuser: What is 0 + 7?\n<end of prompt>" in dry.out
    assert (typo.code, other.code) == (2, 2)
    assert typo.errors == [
        'error: prices.yaml:4: unknown key "inptu" for model "tiny"',
        '  did you mean "input"? needed: input, output (USD per million tokens)',
    ]
    assert other.errors[1] == '  add "tiny" to prices.yaml, with its input and output; did you mean "tinny"?'
    assert not (tmp_path / "out").exists()


def test_a_price_that_comes_later_says_what_the_bill_lacks(tmp_path: Path, shell: Shell) -> None:
    with Server() as server:
        unpriced = {key: value for key, value in runs.model(server.url).items() if key != "price"}
        path = runs.write(tmp_path, runs.raw(server.url, models={"weak": unpriced}, budgets={}))
        first = shell("run", path, "-o", tmp_path / "out")
        priced = ("--set", "models.weak.price={input: 1, output: 10}")
        second = shell("run", path, "-o", tmp_path / "out", *priced, "--set", "arms.weak.samples_per_problem=4")
        fresh = shell("run", path, "-o", tmp_path / "fresh", *priced)
    told = "weak: draws that were bought before its cost in US dollars was known stay without one, so the run's bill lacks them"
    assert [left.code for left in (first, second, fresh)] == [0, 0, 0]
    assert [told in left.err for left in (first, second, fresh)] == [False, True, False]
    assert "isocost run STUDY -o DIR" in second.err


@pytest.mark.parametrize("changes", first_fast([{}, {"price": {"input": 2.0, "output": 3.0}}, {"n": 4, "concurrency": 1}]))
def test_two_names_of_one_model_are_refused(tmp_path: Path, shell: Shell, changes: dict[str, Any]) -> None:
    """Their draws would have the same ids, and their requests the same keys in the ledger."""
    with Server() as server:
        models = {"weak": runs.model(server.url), "twin": runs.model(server.url, **changes)}
        arms = {name: {"models": [name], "samples_per_problem": 2} for name in models}
        path = runs.write(tmp_path, runs.raw(server.url, models=models, arms=arms))
        # A plan without prices opens no model: there it takes equal options for one model.
        plan = [] if "n" in changes else [("plan", path)]
        for arguments in (*plan, ("run", path, "--dry-run"), ("run", path, "-o", tmp_path / "out")):
            left = shell(*arguments)
            assert left.code == 2
            assert len(left.errors) == 2
            assert "models.twin: has the model, prompt and sampling of models.weak" in left.errors[0]
            assert "models.twin.sampling" in left.errors[1]
        assert not server.asked
        models["twin"]["sampling"] = {"temperature": 0.5}
        left = shell("run", runs.write(tmp_path, runs.raw(server.url, models=models, arms=arms)), "-o", tmp_path / "out")
        assert left.code == 0, left
        assert pl.read_parquet(tmp_path / "out" / "samples.parquet")["model"].value_counts(sort=True)["count"].to_list() == [16, 16]
