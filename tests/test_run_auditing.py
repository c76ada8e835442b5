"""Whole runs whose solutions are audited: by steps, by a model of the study, by people; what it costs, and what no later run asks again."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from isocost.errors import EngineError, LimitReachedError, StudyError
from isocost.events import Note
from isocost.ids import digest
from isocost.judging.replies import Replies
from isocost.running import dry_run, run, run_stage, runs
from isocost.summaries import audits as saying
from isocost.summaries.plans import to_markdown
from isocost.viewer.labelbook import LabelBook
from tests.auditing_engine import AUDITING
from tests.builders import InlineExecutor, raw_study
from tests.engines.openai.server import Server
from tests.openai_runs import Shell, events, model, raw, shell, write  # noqa: F401 - a fixture

ENGINE = "tests.auditing_engine:open_engine"
N = 20
JUDGE = ["audit.by=judge", "audit.model=auditor"]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


def write_audited(folder: Path, *, auditor: dict[str, object] | None = None, **changes: Any) -> Path:
    """A study of `tests.builders` with a weak model that guesses every third answer, a strong one that guesses every tenth."""
    models = {
        "weak": {"engine": ENGINE, "params": 1000, "errs": 4, "guesses": 3},
        "strong": {"engine": ENGINE, "params": 3000, "guesses": 10},
        "auditor": {"engine": ENGINE, "params": 5000, **(auditor or {})},
    }
    lines = [json.dumps({"id": f"p{i:02d}", "question": f"What is {i} + 7?", "answer": str(i + 7), "level": 1 + i % 2}) for i in range(N)]
    (folder / "problems.jsonl").write_text("\n".join(lines), encoding="utf-8")
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(raw_study(**{"name": "audited", "models": models} | changes), sort_keys=False), encoding="utf-8")
    return path


def asked(folder: Path) -> list[str]:
    """What the judge was asked, in order."""
    path = folder / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(out: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(out / "audits" / f"{name}.parquet")


def rates(out: Path) -> dict[str, Any]:
    models: dict[str, Any] = saying.read(out)["models"]
    return models


def ledger(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]


def guessed(out: Path) -> dict[str, bool]:
    """Whether each chosen solution is a guess, by sample id."""
    keys = ["model", "problem_id", "sample_index"]
    joined = table(out, "chosen").join(pl.read_parquet(out / "samples.parquet"), on=keys, how="left")
    assert joined["correct"].all()
    return dict(zip(joined["sample_id"], joined["generation"].str.contains("I guess"), strict=True))


def label(out: Path, sample_ids: list[str], *, labeller: str = "ann", flip: bool = False) -> None:
    truth = guessed(out)
    said = {s: "unsound" if truth.get(s, False) ^ flip else "sound" for s in sample_ids}
    lines = [json.dumps({"at": "2026-01-01T00:00:00Z", "labeller": labeller, "sample_id": s, "verdict": v}) for s, v in said.items()]
    with (out / "audits" / "labels.jsonl").open("a") as file:
        file.write("\n".join(lines) + "\n")


def test_every_model_is_audited_by_steps_over_all_cells(tmp_path: Path, out: Path) -> None:
    run(write_audited(tmp_path), out)
    chosen = table(out, "chosen")
    assert Counter(chosen["model"]) == {"weak": N, "strong": N}
    assert set(chosen["stratum"]) == {"1", "2"}
    assert sorted(chosen["place"]) == list(range(2 * N))
    steps = dict(table(out, "steps-chosen").select("sample_id", "sound").iter_rows())
    assert steps == {s: None if guess else True for s, guess in guessed(out).items()}
    assert set(table(out, "steps")["cell"]) == {"weak@low", "strong@low", "equal@number"}
    weak = rates(out)["weak"]
    assert (weak["best"], weak["solved"], weak["chosen"]) == ("steps", N, N)
    assert weak["rates"]["steps"]["value"] == 0.0
    assert weak["rates"]["steps"]["n_ungraded"] == sum(steps[s] is None for s in chosen.filter(pl.col("model") == "weak")["sample_id"])
    measures = json.loads((out / "measures.json").read_text())
    assert measures["models"]["weak"]["fpr"] == weak["rates"]["steps"]
    assert measures["models"]["weak"]["n_ungraded"] == 0  # of graded solutions, not of audits
    assert measures["cells"]["weak@low"]["fpr"]["value"] == 0.0
    assert not (out / "audits" / "judge-chosen.parquet").exists()


@pytest.mark.slow
def test_more_per_model_keeps_what_was_chosen(tmp_path: Path, out: Path) -> None:
    study = write_audited(tmp_path)
    run(study, out, settings=["audit.per_model=5"])
    before = table(out, "chosen")
    assert Counter(before["model"]) == {"weak": 5, "strong": 5}
    run_stage(out, "audit", settings=["audit.per_model=12"])
    after = table(out, "chosen").sort("place")
    kept = [s for s in after["sample_id"] if s in set(before["sample_id"])]
    assert kept == before.sort("place")["sample_id"].to_list()
    assert after.group_by("model").agg(pl.col("weight").sum())["weight"].to_list() == pytest.approx([N, N])


def test_a_finished_run_is_audited_by_a_judge_and_buys_only_that(tmp_path: Path, out: Path) -> None:
    run(write_audited(tmp_path), out)
    data = [line for line in ledger(out) if line.get("account") == "data"]
    run_stage(out, "audit", settings=JUDGE)
    assert len(asked(tmp_path)) == len(set(asked(tmp_path)))
    assert all(AUDITING in prompt for prompt in asked(tmp_path))
    assert [line for line in ledger(out) if line.get("account") == "data"] == data
    judged = table(out, "judge-chosen")
    assert dict(judged.select("sample_id", "sound").iter_rows()) == {s: not guess for s, guess in guessed(out).items()}
    assert set(judged["reply"]) == {"I see.\nverdict: sound", "I see.\nverdict: unsound"}
    found = rates(out)
    shares = {
        m: sum(guess for s, guess in guessed(out).items() if s in set(table(out, "chosen").filter(pl.col("model") == m)["sample_id"])) / N
        for m in found
    }
    assert {m: own["rates"]["judge"]["value"] for m, own in found.items()} == pytest.approx(shares)
    assert shares["weak"] > shares["strong"] > 0
    assert {own["best"] for own in found.values()} == {"judge"}
    spent = sum(line["flops"] for line in ledger(out) if line["event"] == "done" and line["request"] not in {d["request"] for d in data})
    prompts = sum(len(prompt.split()) for prompt in asked(tmp_path))
    replies = sum(len(reply.split()) for reply in judged.unique("reply", keep="first")["reply"])
    assert spent > 2 * 5000 * (prompts + replies)
    run_stage(out, "report")
    bill = pl.read_csv(out / "tables" / "bill.csv")
    assert bill.filter(pl.col("account") == "Judge").row(0, named=True)["model"] == "auditor"
    assert (out / "judge" / "auditor").glob("audit-*.txt")


@pytest.mark.slow
def test_nothing_is_asked_twice(tmp_path: Path, out: Path) -> None:
    study = write_audited(tmp_path)
    run(study, out, settings=[*JUDGE, "audit.per_model=6"])
    first = asked(tmp_path)
    names = ("ledger.jsonl", "measures.json", "audits/chosen.parquet", "audits/judge-chosen.parquet", "audits/rates.json")
    before = {name: (out / name).read_bytes() for name in names}
    run_stage(out, "audit")
    run_stage(out, "audit", force=True)
    run(study, out, settings=[*JUDGE, "audit.per_model=6"])
    assert asked(tmp_path) == first
    assert {name: (out / name).read_bytes() for name in names} == before
    run_stage(out, "audit", settings=["audit.per_model=12"])
    assert asked(tmp_path)[: len(first)] == first
    assert set(Counter(asked(tmp_path)).values()) == {1}


@pytest.mark.slow
def test_stopped_between_reply_and_verdict_nothing_is_paid_again(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = write_audited(tmp_path)
    run(study, out)
    with monkeypatch.context() as broken:
        broken.setattr("isocost.judging.replies._answered", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_stage(out, "audit", settings=JUDGE)
    lines = [line for path in (out / "judge").rglob("*.jsonl") for line in path.read_text().splitlines()]
    stored = {row["id"] for line in lines for row in json.loads(line)["rows"]}
    assert stored
    run_stage(out, "audit")
    twice = {digest("asked", prompt) for prompt, times in Counter(asked(tmp_path)).items() if times > 1}
    assert not twice & stored
    assert len(twice) <= 4 * Counter(line["event"] for line in ledger(out))["redone"] <= 4  # what was in flight, no more
    run(study, tmp_path / "whole", settings=JUDGE)
    spent = [sum(line["flops"] for line in ledger(each) if line["event"] == "done") for each in (out, tmp_path / "whole")]
    assert spent[0] == pytest.approx(spent[1])


@pytest.mark.slow
def test_the_limit_holds_for_the_audit_and_raising_it_goes_on(tmp_path: Path, out: Path) -> None:
    whole = tmp_path / "whole"
    run(write_audited(tmp_path), whole, settings=JUDGE)
    bill = sum(line["flops"] for line in ledger(whole) if line["event"] == "done")
    data = sum(line["flops"] for line in ledger(whole) if line["event"] == "done" and line["tokens"] and _of_data(whole, line))
    (tmp_path / "told.jsonl").unlink()
    limit = data + 0.9 * (bill - data)
    study = write_audited(tmp_path, limit={"unit": "flops", "amount": limit})
    with pytest.raises(LimitReachedError, match=r"(?s)stopped at the limit.*[1-9] of 38 solutions are judged\n  raise limit.amount"):
        run(study, out, settings=[*JUDGE, "audit.max_tokens=60"])
    assert sum(line["flops"] for line in ledger(out) if line["event"] == "done") <= limit
    run(study, out, settings=[*JUDGE, "audit.max_tokens=60", f"limit.amount={3 * bill}"])
    assert set(Counter(asked(tmp_path)).values()) == {1}
    assert rates(out)["weak"]["rates"]["judge"] == rates(whole)["weak"]["rates"]["judge"]


def _of_data(out: Path, line: dict[str, Any]) -> bool:
    return any(each["request"] == line["request"] and each.get("account") == "data" for each in ledger(out))


@pytest.mark.slow
def test_a_judge_that_fails_is_asked_later(tmp_path: Path, out: Path) -> None:
    study = write_audited(tmp_path, auditor={"fails": "failing"})
    run(study, out)
    (tmp_path / "failing").touch()
    with pytest.raises(EngineError, match="the judge is not there"):
        run_stage(out, "audit", settings=JUDGE)
    (tmp_path / "failing").unlink()
    run_stage(out, "audit")
    assert rates(out)["weak"]["best"] == "judge"
    assert set(Counter(asked(tmp_path)).values()) == {1}


@pytest.mark.slow
def test_no_verdict_is_not_checked_and_never_unsound(tmp_path: Path, out: Path) -> None:
    run(write_audited(tmp_path, auditor={"mute": 4}), out, settings=JUDGE)
    judged = table(out, "judge-chosen")
    assert set(judged.filter(pl.col("sound").is_null())["reason"]) == {"no_verdict"}
    weak = rates(out)["weak"]["rates"]["judge"]
    assert (weak["n"], weak["n_ungraded"]) == (15, 5)
    found = saying.read(out)
    assert found["not_judged"] == {"weak": {"no_verdict": 5, "judge_failed": 0}, "strong": {"no_verdict": 5, "judge_failed": 0}}
    said = saying.to_markdown(found, out)
    assert "\nReplies without a verdict: 5 of weak, 5 of strong. One reads: Hard to say.\n" in said
    assert "Calls of the judge" not in said


@pytest.mark.slow
def test_enough_labels_are_taken_in_and_used(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.auditing.rates.FEWEST_LABELS", 5)
    monkeypatch.setattr("isocost.auditing.labelling.FEWEST_LABELS", 5)
    run(write_audited(tmp_path), out, settings=JUDGE)
    assert saying.read(out)["labels_needed"][0]["models"] in (["strong", "weak"], ["weak", "strong"])
    order = table(out, "chosen").sort("place")["sample_id"].to_list()
    label(out, order[:16])
    label(out, order[:1], labeller="bob", flip=True)
    run_stage(out, "report")
    found = saying.read(out)
    assert found["labels"] == {"labelled": 15, "disagreed": 1, "unsure": 0, "not_chosen": 0, "passed_over": 0}
    (needed,), (apart,) = found["labels_needed"], found["differences"]
    assert 15 < needed["with_judge"] <= needed["labels"]
    assert apart["difference"]["value"] == pytest.approx(needed["guesses"][0] - needed["guesses"][1])
    said = saying.to_markdown(found, out)
    assert f", {needed['labels']} labels per model tell them apart (more than were chosen). With judge as accurate as so far: " in said
    assert "\n\nUse the combined rate of weak and strong: labels correct what the other audit gets wrong.\n" in said
    assert "| auditor | agreement with people |" in said
    (line,) = (line for line in said.splitlines() if line.startswith(f"| {' − '.join(apart['models'])} | "))
    assert line.endswith("told apart |")
    assert {own["best"] for own in found["models"].values()} == {"combined"}
    assert found["agreement"]["judge"]["raw"]["value"] == 1.0
    assert found["agreement"]["judge"]["raw"]["n"] == 15
    measures = json.loads((out / "measures.json").read_text())["models"]
    assert {m: measures[m]["fpr"] for m in measures} == {m: own["rates"]["combined"] for m, own in found["models"].items()}
    gap = measures["weak"]["fpr"]["value"] - measures["strong"]["fpr"]["value"]
    published = pl.read_csv(out / "tables" / "published.csv")
    ours = published.filter(pl.col("measure").str.starts_with("False"))["ours_weak and strong at low_share"].item()
    assert float(ours) == pytest.approx(gap)
    report = (out / "report.md").read_text()
    assert "People have labelled 15. They disagree on 1 more." in report
    assert "combined (people and judge)" in report
    csv = pl.read_csv(out / "tables" / "false_positives.csv")
    assert all(f"| {way} |" in said for way in csv["judged_by"])
    assert set(csv["judged_by"]) == {"steps", "judge", "people", "combined (people and judge)"}
    assert pl.read_csv(out / "tables" / "cost_per_truly_correct.csv").height == 2
    beside = pl.read_csv(out / "tables" / "false_positive_differences.csv")
    assert beside["difference_share"].item() == pytest.approx(apart["difference"]["value"])


@pytest.mark.slow
def test_labels_of_a_text_that_was_bought_again_with_another_one_do_not_count(tmp_path: Path, out: Path) -> None:
    """A lost draw that is bought again keeps its id, and nobody has read its text."""
    study = write_audited(tmp_path)
    run(study, out)
    keys = ["model", "problem_id", "sample_index"]
    chosen = table(out, "chosen").sort("place").join(pl.read_parquet(out / "samples.parquet"), on=keys, how="left", maintain_order="left")
    texts = dict(chosen.select("sample_id", "generation").rows())
    book = LabelBook(out, "ann")
    ids = list(texts)
    for sample_id in ids[:12]:
        book.say(sample_id, "sound", text=texts[sample_id])
    for sample_id in ids[12:15]:
        book.say(sample_id, "unsound", text="as it was before")
    notes: list[str] = []
    run(study, out, listener=lambda event: notes.append(event.text) if isinstance(event, Note) else None)
    told = "3 labels of people do not count: the solutions were lost and bought again, with other texts; label again in isocost view: "
    assert f"{told}13, 14, 15" in notes
    assert sum(rates(out)[name]["rates"].get("people", {"n": 0})["n"] for name in rates(out)) == 12
    run(study, out, settings=["curate.audit=labels"], listener=lambda event: notes.append(event.text) if isinstance(event, Note) else None)
    assert any("follow people's labels: 0 unsound, 12 sound" in note for note in notes)
    book.say(ids[12], "unsound", text=texts[ids[12]])  # the same words on another text are another label
    run(study, out, listener=lambda event: notes.append(event.text) if isinstance(event, Note) else None)
    assert sum(rates(out)[name]["rates"].get("people", {"n": 0})["n"] for name in rates(out)) == 13


def test_a_model_without_labels_is_not_compared_with_one_that_has_them(tmp_path: Path, out: Path) -> None:
    run(write_audited(tmp_path), out, settings=JUDGE)
    weak = table(out, "chosen").sort("place").filter(pl.col("model") == "weak")["sample_id"].to_list()
    label(out, weak[:2])
    run_stage(out, "audit")
    found = saying.read(out)
    assert {own["best"] for own in found["models"].values()} == {"judge"}
    said = saying.to_markdown(found, out)
    assert "| weak | people (too few labels to use) | " in said
    chosen = {model: own["chosen"] for model, own in found["models"].items()}
    assert f"To correct this, label solutions: {chosen['weak'] - 2} more of weak (2 so far), {chosen['strong']} of strong." in said
    assert found["differences"][0]["difference"]["value"] is not None
    label(out, weak)
    run_stage(out, "audit")
    found = saying.read(out)
    assert (found["models"]["weak"]["best"], found["differences"][0]["difference"]) == ("combined", None)
    said = saying.to_markdown(found, out)
    assert "| weak − strong | not compared | strong has no labels |" in said
    assert "Use the combined rate of weak: labels correct what the other audit gets wrong. Of strong the judge's rate is used." in said


@pytest.mark.slow
def test_labels_out_of_order_are_said(tmp_path: Path, out: Path) -> None:
    """Who passes hard ones over leaves labels that are no random subset."""
    run(write_audited(tmp_path), out)
    order = table(out, "chosen").sort("place")["sample_id"].to_list()
    label(out, [*order[:3], order[5], "of another choice"])
    run_stage(out, "audit")
    found = saying.read(out)
    assert found["labels"] == {"labelled": 4, "disagreed": 0, "unsure": 0, "not_chosen": 1, "passed_over": 2}
    said = saying.to_markdown(found, out)
    assert "People have labelled 4. Solutions without a label before the last labelled one: 2. Label these too" in said
    assert "Labels of solutions that are no longer chosen: 1." in said
    assert "It counts false equations alone, so it is a lower bound." in said
    assert "(one without a false equation) |" in said


def test_mistakes_are_found_before_anything_is_spent(tmp_path: Path, out: Path) -> None:
    study = write_audited(tmp_path)
    for settings, message in (
        (["audit.by=judge"], "audit: by: judge needs model, the name of a model of the study"),
        (["audit.by=judge", "audit.model=auditr"], 'audit.model: unknown model "auditr"; did you mean "auditor"'),
        (["audit.model=auditor"], "audit: model goes with by: judge"),
        (["audit.max_tokens=5"], "audit: max_tokens goes with by: judge"),
        (["audit.by=people"], "audit.by: "),
        ([*JUDGE, "limit={unit: usd, amount: 1}"], "audit.model: the cost of auditor in usd is not known"),
        ([*JUDGE, "models.auditor.price={output: 1}"], "models.auditor.price.input is missing"),
    ):
        with pytest.raises(StudyError, match=message):
            run(study, out, settings=settings)
    assert not out.exists()


def test_a_dry_run_shows_what_the_auditor_is_asked(tmp_path: Path) -> None:
    prepared, costs, plans, prompts = dry_run(write_audited(tmp_path), settings=JUDGE)
    assert "auditor audits a correct solution of every problem that a model solves." in to_markdown(prepared, costs, plans)
    prompt = prompts.split("prompt to the auditor auditor")[1]
    assert prompt.startswith(" (temperature 0, max_tokens 1024):")
    assert AUDITING in prompt
    assert asked(tmp_path) == []


@pytest.mark.slow
def test_the_command_prints_a_table_and_what_is_next(tmp_path: Path, out: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    run(write_audited(tmp_path), out)
    left = shell("audit", out, *(word for setting in JUDGE for word in ("--set", setting)))
    assert left.code == 0
    lines = left.out.splitlines()
    assert lines[0] == "| model | judged by | false positives [95% interval] | n | not checked |"
    assert any(line.startswith("| weak | judge | ") for line in lines)
    assert "No solution is labelled." in left.out
    none = "Of weak and strong the judge's rate is used. It may be far too low or too high. To correct this, label solutions: "
    assert any(line.startswith(none) for line in lines)
    assert any(line.startswith(("| weak − strong", "| strong − weak")) and line.endswith("told apart by judge |") for line in lines)
    assert "combined" not in left.out
    assert any(line.startswith("- weak and strong: ") and "tell them apart" in line for line in lines)
    assert lines[-1] == f"label them: isocost view {out}"
    assert "settings changed since the last start: audit.by judge" in left.err
    as_json = json.loads(shell("audit", out, "--json").out)
    assert as_json == saying.read(out)
    assert as_json["models"]["weak"]["best"] == "judge"
    nothing = shell("audit", tmp_path / "none")
    assert (nothing.code, nothing.errors[0]) == (2, f"error: {tmp_path / 'none'}: no study.yaml; is it a run directory?")


@pytest.mark.slow
def test_an_endpoint_audits_and_is_paid(tmp_path: Path, shell: Shell) -> None:  # noqa: F811
    def reply(prompt: str, seed: int | None, number: int) -> str:
        return "So.\nverdict: unsound" if AUDITING in prompt else f"It is so. #### {int(prompt.split()[-4]) + 7}"

    out = tmp_path / "run"
    with Server(answer=reply, every={"429 seconds": 5}) as server:
        models = {"weak": model(server.url), "auditor": model(server.url, "strong", api="chat")}
        study = raw(server.url, models=models, audit={"by": "judge", "model": "auditor"}, limit={"unit": "usd", "amount": 1.0})
        left = shell("run", write(tmp_path, study), "-o", out)
        assert left.code == 0, left.err
        judged = [each for each in server.asked if AUDITING in each.prompt]
        assert {each.path for each in judged} == {"/v1/chat/completions"}
        assert {each.body["temperature"] for each in judged} == {0}
        n = len(server.asked)
        again = shell("audit", out)
        assert (again.code, len(server.asked)) == (0, n)
    weak = rates(out)["weak"]["rates"]["judge"]
    assert (weak["value"], weak["n"]) == (1.0, 8)
    paid = [line for line in ledger(out) if line["event"] == "done" and line.get("usd")]
    assert sum(line["usd"] for line in paid) > 0
    assert events(out)["retry"] > 0
    assert "auditor" in (out / "report.md").read_text()


@pytest.mark.slow
def test_replies_of_another_prompt_are_not_taken(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version of the prompt names the log: after a change every solution is asked again, and both are paid."""
    study = write_audited(tmp_path)
    run(study, out, settings=JUDGE)
    first = len(asked(tmp_path))
    run(study, out, settings=[*JUDGE, "audit.max_tokens=70"])
    assert len(asked(tmp_path)) == 2 * first
    assert len(list((out / "judge" / "auditor").glob("audit-*.parts"))) == 2


@pytest.mark.slow
def test_equal_prompts_are_asked_once(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    answer = Replies.answer
    monkeypatch.setattr(Replies, "answer", lambda self, prompts, ledger: seen.append(len(prompts)) or answer(self, prompts, ledger))
    run(write_audited(tmp_path), out, settings=JUDGE)
    assert seen[0] == len(set(asked(tmp_path))) <= table(out, "judge-chosen").height


def reply_of_both(prompt: str, seed: int | None, number: int) -> str:
    return "So.\nverdict: sound" if AUDITING in prompt else f"It is so. #### {int(prompt.split()[-4]) + 7}"


def finished_elsewhere(tmp_path: Path, shell: Shell) -> Path:  # noqa: F811
    """A finished run whose endpoint is gone."""
    out = tmp_path / "run"
    with Server(answer=reply_of_both) as server:
        assert shell("run", write(tmp_path, raw(server.url)), "-o", out).code == 0
    return out


def of_auditor(url: str) -> list[str]:
    """The flags of docs/audits.md that add a judge."""
    settings = ("engine=openai", f"base_url={url}", "model=tiny", "api=chat")
    return [f"models.auditor.{setting}" for setting in settings] + JUDGE


def flags(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


@pytest.mark.slow
def test_a_judge_is_added_to_a_finished_run_by_the_command_of_the_page(tmp_path: Path, shell: Shell) -> None:  # noqa: F811
    page = (Path(__file__).parent.parent / "docs" / "audits.md").read_text()
    out = finished_elsewhere(tmp_path, shell)
    with Server(answer=reply_of_both) as server:
        given = [*of_auditor(server.url), "models.auditor.price={input: 0.15, output: 0.60}"]
        for setting in given:
            assert f"--set {setting.partition('=')[0]}=" in page.replace('"', ""), setting
        left = shell("audit", out, *flags(given))
        assert (left.code, left.errors) == (0, [])
        assert [AUDITING in each.prompt for each in server.asked] == [True] * 8
        assert shell("audit", out).code == 0  # what was set is kept
        assert len(server.asked) == 8
    assert "| weak | judge | 0.0% [" in left.out
    assert " judge | auditor | 8 |" in shell("status", out).out
    assert "not known" not in shell("status", out).out


@pytest.mark.slow
def test_a_judge_without_a_price_leaves_what_is_known_known(tmp_path: Path, shell: Shell) -> None:  # noqa: F811
    out = finished_elsewhere(tmp_path, shell)
    before = shell("status", out).out.splitlines()[2]
    with Server(answer=reply_of_both) as server:
        assert shell("audit", out, *flags(of_auditor(server.url))).code == 0
    assert f"{before}, and what auditor's 8 calls cost is not known" in shell("status", out).out.splitlines()


@pytest.mark.slow
def test_trouble_of_the_judge_stands_with_the_judge(tmp_path: Path, shell: Shell) -> None:  # noqa: F811
    out = finished_elsewhere(tmp_path, shell)
    with Server(answer=reply_of_both, every={"500": 4}) as server:
        left = shell("audit", out, *flags(of_auditor(server.url)))
    assert left.code == 0
    lost = events(out)["lost"]
    assert lost > 0
    again = shell("audit", out)
    lines = {line.split()[0]: line for line in left.err.splitlines() if line and "already done" not in line}
    assert f"  {lost} lost" in lines["audit"]
    for said in (left.err, again.err):
        assert not any(line.startswith("sample") and ("lost" in line or "retr" in line) for line in said.splitlines())
    rows = [line.split(" | ") for line in shell("status", out).out.splitlines() if line.startswith(("| data", "| judge"))]
    assert {row[0]: row[-2] for row in rows} == {"| data": "0", "| judge": str(lost)}


@pytest.mark.slow
def test_calls_that_failed_are_counted_apart_and_made_again_by_force_alone(tmp_path: Path, shell: Shell) -> None:  # noqa: F811
    out = finished_elsewhere(tmp_path, shell)
    with Server(answer=reply_of_both, faults=["filtered"] * 3) as server:
        first = shell("audit", out, *flags([*of_auditor(server.url), "models.auditor.price={input: 1, output: 1}"]))
        assert first.code == 0
        assert rates_of(out) == {"no_verdict": 0, "judge_failed": 3}
        assert f"\nCalls of the judge that failed: 3 of weak. Ask again: isocost audit {out} --force\n" in first.out
        assert "without a verdict" not in first.out
        assert shell("audit", out).code == 0
        assert len(server.asked) == 8
        before = (out / "ledger.jsonl").read_bytes()
        server._faults[:] = ["filtered"]  # one fails once more
        assert shell("audit", out, "--force").code == 0
        assert (len(server.asked), rates_of(out)["judge_failed"]) == (11, 1)
        assert "Calls of the judge that failed: 1 of weak." in shell("audit", out).out
        last = shell("audit", out, "--force")
        assert (len(server.asked), rates_of(out)["judge_failed"]) == (12, 0)
        assert "Calls of the judge" not in last.out
        assert shell("audit", out, "--force").code == 0
        assert len(server.asked) == 12
    assert set(Counter(each.prompt for each in server.asked).values()) == {1, 2, 3}
    assert (out / "ledger.jsonl").read_bytes().startswith(before)  # what failed stays paid
    assert " judge | auditor | 12 |" in shell("status", out).out
    assert rates(out)["weak"]["rates"]["judge"]["n"] == 8


def rates_of(out: Path) -> dict[str, int]:
    counts: dict[str, int] = saying.read(out)["not_judged"]["weak"]
    return counts


@pytest.mark.slow
def test_force_goes_on_after_a_kill_and_pays_what_was_stored_once(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    out = finished_elsewhere(tmp_path, shell)
    with Server(answer=reply_of_both, faults=["filtered"] * 2) as server:
        assert shell("audit", out, *flags([*of_auditor(server.url), "models.auditor.price={input: 1, output: 1}"])).code == 0
        with monkeypatch.context() as broken:
            broken.setattr("isocost.judging.replies._answered", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            assert shell("audit", out, "--force").code == 130
        asked_so_far = len(server.asked)
        assert shell("audit", out, "--force").code == 0
        assert rates_of(out)["judge_failed"] == 0
        assert len(server.asked) - asked_so_far <= 1  # the one whose reply was stored is not asked again
    done = [line for line in ledger(out) if line["event"] == "done"]
    assert len({line["request"] for line in done}) == len(done)
    assert not {line["request"] for line in ledger(out) if line["event"] == "reserve"} - {
        line["request"] for line in ledger(out) if line["event"] != "reserve"
    }
