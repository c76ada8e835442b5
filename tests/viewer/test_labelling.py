"""Labelling by buttons and forms, as it works without script."""

import datetime as dt
import fcntl
import os
import re
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest

from isocost.errors import StorageError
from isocost.records import Chosen
from isocost.store import Log
from isocost.viewer.labelbook import LabelBook
from tests.viewer.conftest import BASE, ORIGIN, PREFIX, Pages, below, open_pages
from tests.viewer.rundirs import MODELS, labels, write_audits, write_run

NOW = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)


def say(pages: Pages, place: int, verdict: str, **more: str) -> str:
    return pages.post("/label", sample=pages.chosen[place].sample_id, verdict=verdict, **more)


def counter(page: str) -> str:
    (found,) = re.findall(r'<span class="counter">(.*?)</span> </span>', page) or [""]
    return re.sub(r"<[^>]*>", "", found)


def test_a_verdict_is_a_line_and_leads_to_the_next(pages: Pages) -> None:
    assert say(pages, 0, "sound") == "/label/2"
    (line,) = labels(pages.path)
    assert dt.datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line.pop("text_hash") >= 0
    said = {"labeller": "ann", "sample_id": pages.chosen[0].sample_id, "verdict": "sound", "reason": None, "note": None}
    assert line == said | {"number": 1}


def test_a_verdict_is_on_the_disk_before_the_page_moves_on(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    say(pages, 0, "sound")
    assert synced[:1] == [(pages.path / "audits" / "labels.jsonl").stat().st_size]


def test_what_cannot_be_stored_does_not_move_on(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("labels.jsonl: the disk is full")

    monkeypatch.setattr(Log, "append", full)
    answer = pages.client.post("/label", data={"sample": pages.chosen[0].sample_id, "verdict": "sound"}, headers={"origin": ORIGIN})
    assert answer.status_code == 500
    assert "Not saved" in answer.text
    assert "the disk is full" in answer.text
    assert f'href="{PREFIX}/label"' in answer.text


def test_a_reason_means_unsound(pages: Pages) -> None:
    assert pages.post("/label", sample=pages.chosen[0].sample_id, reason="wrong step", note=" 9 * 9\n is 81 ") == "/label/2"
    (line,) = labels(pages.path)
    assert (line["verdict"], line["reason"], line["note"]) == ("unsound", "wrong step", "9 * 9 is 81")


@pytest.mark.parametrize(
    "form", [{}, {"verdict": "fine"}, {"verdict": "undo"}, {"reason": "ugly"}, {"verdict": "sound", "reason": "lucky"}, {"sample": "none"}]
)
def test_what_is_no_verdict_is_refused_and_not_stored(pages: Pages, form: dict[str, str]) -> None:
    data = {"sample": pages.chosen[0].sample_id, **form}
    assert pages.client.post("/label", data=data, headers={"origin": ORIGIN}).status_code == 400
    assert labels(pages.path) == []


def test_a_form_that_cannot_be_read_is_told_to_a_script_as_text(pages: Pages) -> None:
    headers = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    for by_script in (False, True):
        answer = pages.client.post("/label", content=b"sample=\xff", headers=headers | ({"isocost-script": "1"} if by_script else {}))
        assert answer.status_code == 400
        assert ("<html" in answer.text) != by_script


def test_undo_is_a_new_line_and_leads_back(pages: Pages) -> None:
    say(pages, 0, "sound")
    say(pages, 1, "unsound")
    assert pages.post("/undo") == "/label/2"
    assert pages.post("/undo") == "/label/1"
    assert [line["verdict"] for line in labels(pages.path)] == ["sound", "unsound", "undo", "undo"]
    assert pages.post("/undo") == "/label/1"  # nothing is left to take back
    assert len(labels(pages.path)) == 4
    assert "disabled" in pages.get("/label/1")


def test_the_same_word_again_is_none_and_another_one_counts(pages: Pages) -> None:
    for verdict in ("sound", "sound", "skip", "unsure"):
        say(pages, 0, verdict)
    assert [line["verdict"] for line in labels(pages.path)] == ["sound", "unsure"]


def test_skipped_ones_come_back_at_the_end(pages: Pages) -> None:
    assert say(pages, 0, "skip") == "/label/2"
    for place in range(1, 5):
        say(pages, place, "sound")
    assert say(pages, 5, "sound") == "/label/1"
    assert "1 skipped" in counter(pages.get("/label/1"))
    assert say(pages, 0, "skip") == "/label/1"
    assert say(pages, 0, "sound") == "/label/done"
    assert "All labelled" in pages.get("/label/done")
    assert pages.client.get("/label").url == f"{BASE}/label/done"


def test_the_counter_has_the_rate_and_its_interval_so_far(pages: Pages) -> None:
    assert counter(pages.get("/label/1")) == "labelled 0/6"
    say(pages, 0, "unsound")
    say(pages, 1, "sound")
    say(pages, 2, "unsure")
    assert counter(pages.get("/label/4")) == "labelled 3/6 (1 unsure) false positives 50.0% [2.6, 97.4] of 2 sure"


def test_the_page_and_its_address_say_nothing_about_the_model(pages: Pages) -> None:
    for number in range(1, 7):
        answer = pages.client.get(f"/label/{number}")
        for word in (*MODELS, "pool", "token", "$", "usd", "flops", "tern", "heron"):
            assert word not in answer.text.lower(), word
            assert word not in str(answer.url)
        page = below(answer.text)
        links = set(re.findall(r'href="([^"]*)"', page))
        assert {link for link in links if not link.startswith("/label/")} == {"/", "/style.css"}
        assert re.findall(r'<a [^>]*href="/"[^>]*>(.*?)</a>', page) == ["leave labelling"]


def test_the_order_is_that_of_place_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    chosen = write_run(tmp_path)
    file = tmp_path / "audits" / "chosen.parquet"
    pl.read_parquet(file).sort("model", "place", descending=True).write_parquet(file)
    pages = open_pages(tmp_path, chosen)
    for number, one in enumerate(chosen, start=1):
        assert one.sample_id in pages.get(f"/label/{number}")


def test_problem_reference_and_solution_are_in_view(pages: Pages) -> None:
    one = pages.chosen[0]
    row = pl.read_parquet(pages.path / "samples.parquet").filter(
        (pl.col("model") == one.model) & (pl.col("problem_id") == one.problem_id) & (pl.col("sample_index") == one.sample_index)
    )
    problem = pl.read_parquet(pages.path / "problems" / "train.parquet").filter(pl.col("id") == one.problem_id)
    page = pages.get("/label/1")
    for text in (row["generation"][0].replace("'", "&#39;"), problem["question"][0], problem["answer"][0]):
        assert text in page


def test_the_audit_is_not_in_the_page_before_the_verdict(tmp_path: Path) -> None:
    text = "6 * 7 = 41\nand so 42 #### 42"
    chosen = write_run(tmp_path, texts=[text])
    pages = open_pages(tmp_path, chosen)
    before = pages.get("/label/1")
    assert "first false" not in before
    assert "details" not in before
    say(pages, 0, "skip")
    assert "first false" not in pages.get("/label/1")
    say(pages, 0, "sound")
    after = pages.get("/label/1")
    assert "first false one: 6 * 7 = 41" in after
    assert "was not asked" in after
    rows = {"sample_id": [chosen[0].sample_id], "sound": [False], "reason": ["wrong"], "model": ["judge-of-mine"]}
    pl.DataFrame(rows).write_parquet(tmp_path / "audits" / "judge-chosen.parquet")
    with_judge = pages.get("/label/1")
    assert "<dd>unsound</dd>" in with_judge
    assert "judge-of-mine" not in with_judge


def test_a_second_labeller_sees_nothing_of_the_first(pages: Pages) -> None:
    other = open_pages(pages.path, pages.chosen, "bo")
    blank = other.get("/label/1")
    say(pages, 0, "unsound", reason="lucky", note="the note of ann")
    assert other.get("/label/1") == blank
    page = other.get(f"/problem?id={pages.chosen[0].problem_id}")
    assert "the note of ann" not in page
    assert other.post("/undo") == "/label/1"
    assert len(labels(pages.path)) == 1


def test_agreement_has_a_page_of_its_own(pages: Pages) -> None:
    assert "Nobody has labelled yet" in pages.get("/agreement")
    other = open_pages(pages.path, pages.chosen, "bo")
    for place in range(6):
        say(pages, place, "unsound" if place < 2 else "sound")
    assert "So far ann labelled" in pages.get("/agreement")
    for place in range(5):
        say(other, place, "unsound" if place < 1 else "sound")
    found = re.findall(r'data-name="([^"]*)">([^<]*)<', pages.get("/agreement"))
    assert [text for name, text in found if name.startswith("bo: ")] == ["3", "0", "1", "1"]
    by_name = dict(found)
    assert by_name["n"] == "5"
    assert by_name["alike"].startswith("80.0% [")
    assert by_name["kappa"].startswith("0.55 [")
    assert re.findall(r'href="(/label/\d[^"]*)"', pages.get("/agreement")) == ["/label/2?among=differing"]


def test_without_a_choice_the_page_says_which_command_makes_it_and_the_list_works(tmp_path: Path) -> None:
    pages = open_pages(tmp_path, write_run(tmp_path, n_chosen=0))
    assert f"isocost audit {tmp_path}" in pages.get("/label")
    assert f"isocost audit {tmp_path}" in pages.get("/")
    assert "orchard-0003" in pages.get("/")


def test_what_is_chosen_later_is_there_without_a_new_start(tmp_path: Path) -> None:
    pages = open_pages(tmp_path, write_run(tmp_path, n_chosen=0))
    other = tmp_path / "other"
    chosen = write_run(other)
    rows = pl.read_parquet(other / "samples.parquet").iter_rows(named=True)
    write_audits(tmp_path, chosen, {(r["model"], r["problem_id"], r["sample_index"]): r["generation"] for r in rows})
    assert chosen[0].sample_id in pages.get("/label/1")


def test_a_running_study_keeps_nobody_from_labelling(pages: Pages) -> None:
    with (pages.path / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert say(pages, 0, "sound") == "/label/2"


def test_labels_of_several_processes_stand_side_by_side_and_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    ann, bo = (LabelBook(tmp_path, name, now=lambda: NOW) for name in ("ann", "bo"))
    ann.say("s", "sound")
    with (tmp_path / "audits" / "labels.jsonl").open("a") as file:
        file.write('{"at": "2026", "labell')
    assert [label.labeller for label in bo.labels()] == ["ann"]
    bo.say("s", "unsound")
    assert [(label.labeller, label.verdict, label.at) for label in ann.labels()] == [
        ("ann", "sound", "2026-03-04T05:06:07.000+00:00"),
        ("bo", "unsound", "2026-03-04T05:06:07.000+00:00"),
    ]


def test_places_beyond_the_end_are_not_there(pages: Pages) -> None:
    for address in ("/label/0", "/label/7", "/label/999999999999", "/label/" + "9" * 5000, "/label/-1", "/label/٣", "/label/x"):
        answer = pages.client.get(address)
        assert answer.status_code == 404
        assert f'href="{PREFIX}/label"' in answer.text


def write_pools(path: Path, chosen: list[Chosen]) -> None:
    """Write the draws that a run stored, of the chosen solutions."""
    samples = pl.read_parquet(path / "samples.parquet")
    rows = samples.join(pl.DataFrame([asdict(each) for each in chosen]), on=["model", "problem_id", "sample_index"])
    for (model, pool), own in rows.group_by("model", "pool"):
        folder = path / "pools" / str(model) / f"{pool}.parts"
        folder.mkdir(parents=True)
        own.select("problem_id", "sample_index", "generation", id="sample_id").write_parquet(folder / "0000.parquet")


@pytest.mark.parametrize("how", ["a pool of another seed", "another text", "no such row"])
def test_a_solution_that_is_not_the_chosen_one_is_neither_shown_nor_labelled(tmp_path: Path, how: str) -> None:
    chosen = write_run(tmp_path)
    write_pools(tmp_path, chosen)
    pages = open_pages(tmp_path, chosen)
    assert pages.post("/label", sample=chosen[0].sample_id, verdict="sound") == "/label/2"
    one, file = chosen[1], tmp_path / "samples.parquet"
    this = (pl.col("model") == one.model) & (pl.col("problem_id") == one.problem_id) & (pl.col("sample_index") == one.sample_index)
    samples = pl.read_parquet(file)
    if how == "no such row":
        samples.filter(~this).write_parquet(file)
    else:
        column = "pool" if how == "a pool of another seed" else "generation"
        samples.with_columns(pl.when(this).then(pl.lit("foreign")).otherwise(column).alias(column)).write_parquet(file)
    page = pages.get("/label/2")
    assert "samples.parquet does not have the chosen solution any more: choose again with isocost audit" in page
    assert "foreign" not in page
    refused = pages.client.post("/label", data={"sample": one.sample_id, "verdict": "sound"}, headers={"origin": ORIGIN})
    assert refused.status_code == 400
    assert f"choose again: isocost audit {tmp_path}" in refused.text
    assert pages.post("/label", sample=one.sample_id, verdict="skip") == "/label/3"
    assert pages.post("/label", sample=chosen[2].sample_id, verdict="sound") == "/label/4"
    assert [line["sample_id"] for line in labels(tmp_path) if line["verdict"] == "sound"] == [chosen[0].sample_id, chosen[2].sample_id]


@pytest.mark.parametrize("action", ["/label", "/undo"])
def test_a_run_that_was_moved_is_said_to_be_gone_and_not_made_again(tmp_path: Path, action: str) -> None:
    run = tmp_path / "run"
    run.mkdir()
    chosen = write_run(run)
    pages = open_pages(run, chosen)
    say(pages, 0, "sound")
    run.rename(tmp_path / "moved")
    form = {"sample": chosen[0].sample_id, "verdict": "unsound", "last": "as it was shown"}
    left = pages.client.post(action, data=form, headers={"origin": ORIGIN})
    assert left.status_code == 500
    assert re.search("folder is gone: put the run directory back|the run directory is gone", left.text)
    assert not run.exists()
    assert "the run directory is gone" in pages.client.get("/").text
