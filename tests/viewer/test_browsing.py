"""The list of problems and the page of one."""

import hashlib
import html
import json
import os
import re
import time
from pathlib import Path

import polars as pl
import pytest

from isocost.errors import RunDirectoryError
from isocost.viewer import evidence, strips
from isocost.viewer.listing import View
from isocost.viewer.queue import Queue
from isocost.viewer.rundata import RunData
from tests.viewer.conftest import Pages, open_pages
from tests.viewer.rundirs import MODELS, write_run


def rows(page: str) -> list[list[str]]:
    body = page.partition("<tbody")[2]
    return [
        [html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<td.*?</td>", row, re.S)] for row in body.split("<tr")[1:]
    ]


def chips(page: str) -> dict[str, int]:
    return {name.strip(): int(count.replace(",", "")) for name, count in re.findall(r"<a [^>]*>([^<]*) <b>([\d,]+)</b>", page)}


def test_a_row_holds_a_problem_and_its_counts(pages: Pages) -> None:
    table = pl.read_parquet(pages.path / "samples.parquet")
    found = rows(pages.get("/"))
    assert [row[0] for row in found] == [f"orchard-{i:04d}" for i in range(12)]
    for row in found:
        own = table.filter(pl.col("problem_id") == row[0])
        kept = own.filter(pl.col("correct"))
        assert row[1].startswith(row[1][:20])
        assert row[-2:] == [f"{kept.height}/{own.height}", str(kept["generation"].n_unique())]
        for model, strip in zip(MODELS, row[3:5], strict=True):
            said = dict(reversed(part.split(" ", 1)) for part in strip.split(", "))
            mine = own.filter(pl.col("model") == model)
            assert int(said.get("correct", 0)) == mine["correct"].sum()
            assert sum(map(int, said.values())) == mine.height
            assert int(said.get("failed", 0)) == mine["correct"].is_null().sum()


def test_chips_count_what_they_show(pages: Pages) -> None:
    page = pages.get("/")
    found = chips(page)
    assert found["all"] == 12
    for name, show in (("never solved", "never"), ("always solved", "always"), ("models disagree", "disagree")):
        assert len(rows(pages.get(f"/?show={show}"))) == found[name], name
    assert all(row[-2].startswith("0/") for row in rows(pages.get("/?show=never")))
    assert found["never solved"] > 0
    assert found["unlabelled"] == len({one.problem_id for one in pages.chosen})


def test_labels_and_audits_make_suspicions(pages: Pages) -> None:
    steps = pl.read_parquet(pages.path / "audits" / "steps-chosen.parquet")
    by_steps = set(steps.filter(~pl.col("sound"))["sample_id"])
    sound = next(one for one in pages.chosen if one.sample_id not in by_steps)
    before = {row[0] for row in rows(pages.get("/?show=suspected"))}
    assert before == {one.problem_id for one in pages.chosen if one.sample_id in by_steps}
    pages.post("/label", sample=sound.sample_id, verdict="unsound")
    assert {row[0] for row in rows(pages.get("/?show=suspected"))} == before | {sound.problem_id}


def test_the_list_is_sorted_by_what_the_address_says(pages: Pages) -> None:
    def share(row: list[str]) -> float:
        kept, n = row[-2].split("/")
        return int(kept) / int(n)

    up, down = rows(pages.get("/?sort=solved")), rows(pages.get("/?sort=-solved"))
    assert [share(row) for row in up] == sorted(share(row) for row in up)
    assert [share(row) for row in down] == sorted((share(row) for row in down), reverse=True)
    assert 'aria-sort="ascending"' in pages.get("/?sort=solved")
    assert 'aria-sort="descending"' in pages.get("/?sort=-level")


def test_what_an_address_says_wrong_is_as_usual() -> None:
    assert View.read({"show": "x", "sort": "drop", "page": "-3"}) == View()
    assert View.read({"page": "99999999999999999999"}) == View()
    assert View(show="never", sort="-level", page=3).query(id="a b") == "?id=a+b&show=never&sort=-level&page=3"
    assert View().query() == ""


def test_ten_thousand_samples_come_in_pages_of_a_hundred_rows_under_200_kb(tmp_path: Path) -> None:
    write_run(tmp_path, n_problems=625, n_samples=8)
    pages = open_pages(tmp_path, [])
    for number, count in ((1, 100), (7, 25), (99, 25)):
        page = pages.get(f"/?page={number}")
        assert len(rows(page)) == count
        assert len(page.encode()) < 200_000
        assert page.count("<h1") == page.count("<main") == 1


def test_many_samples_share_marks() -> None:
    for n_models in (1, 2, 5, 40):
        drawn = strips.strip({"correct": 300, "wrong": 1, "cut off": 0, "failed": 99}, strips.scale(400, n_models))
        assert "300 correct, 1 wrong, 99 failed" in drawn
        assert drawn.count("v9") + drawn.count("v8") + drawn.count("v5") <= strips.most(n_models) + 2
        assert drawn.count("v8") == 1


def test_a_problem_shows_its_solutions_by_model_with_duplicates_folded(pages: Pages) -> None:
    table = pl.read_parquet(pages.path / "samples.parquet").with_columns(pl.col("generation").fill_null(""))
    for problem_id in table["problem_id"].unique():
        page = pages.get(f"/problem?id={problem_id}&all=1")
        own = table.filter(pl.col("problem_id") == problem_id)
        for model, part in zip(MODELS, page.split("<section aria-labelledby=")[1:], strict=True):
            counts = [int(n) for n in re.findall(r"drawn (\d+) times", part)]
            shown = part.count("<article")
            assert model in part
            assert shown - len(counts) + sum(counts) == own.filter(pl.col("model") == model).height


def test_the_first_false_equation_stands_beside_the_solution(tmp_path: Path) -> None:
    chosen = write_run(tmp_path, texts=["6 * 7 = 41\nand so 42 #### 42"])
    page = open_pages(tmp_path, chosen).get(f"/problem?id={chosen[0].problem_id}")
    assert re.search(r"first false equation</b> <span class=\"text\">6 \* 7 = 41<", page)


def test_a_problem_leads_on_within_its_list_and_back_to_it(pages: Pages) -> None:
    ids = [row[0] for row in rows(pages.get("/?show=never&sort=level"))]
    page = html.unescape(pages.get(f"/problem?id={ids[0]}&show=never&sort=level"))
    assert 'href="/?show=never&sort=level"' in page
    assert f'href="/problem?id={ids[1]}&show=never&sort=level"' in page
    assert 'rel="prev"' not in page


@pytest.mark.parametrize(
    "address", ["/problem", "/problem?id=none", "/solution?id=orchard-0000&model=x&index=0", "/solution?index=-1", "/etc"]
)
def test_what_is_not_there_is_said(pages: Pages, address: str) -> None:
    answer = pages.client.get(address)
    assert answer.status_code == 404
    assert "Not there" in answer.text


def test_ids_of_any_kind_have_an_address(tmp_path: Path) -> None:
    write_run(tmp_path, n_problems=1)
    evil = "../a b?c&d=/%2e#e\"'"
    for name, column in (("samples.parquet", "problem_id"), ("problems/train.parquet", "id")):
        pl.read_parquet(tmp_path / name).with_columns(pl.lit(evil).alias(column)).write_parquet(tmp_path / name)
    pages = open_pages(tmp_path, [])
    (address,) = {html.unescape(found) for found in re.findall(r'data-stop href="([^"]*)"', pages.get("/"))}
    assert "Yuki" in pages.get(address) or "boxes" in pages.get(address)


def test_a_run_that_writes_samples_anew_is_seen(pages: Pages) -> None:
    file = pages.path / "samples.parquet"
    before = rows(pages.get("/"))[0][-2]
    pl.read_parquet(file).filter(pl.col("sample_index") < 3).write_parquet(file)
    after = rows(pages.get("/"))[0][-2]
    assert (before.split("/")[1], after.split("/")[1]) == ("16", "6")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match=r"no study.yaml; is it a run directory\?"):
        RunData(tmp_path)
    (tmp_path / "study.yaml").write_text("name: x")
    with pytest.raises(RunDirectoryError, match="nothing to show until sampling has ended"):
        RunData(tmp_path)


def test_a_damaged_table_is_said_in_two_lines(tmp_path: Path) -> None:
    write_run(tmp_path)
    (tmp_path / "samples.parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(RunDirectoryError, match=r"samples.parquet: cannot be read: .*\n  write it again: isocost report "):
        RunData(tmp_path).counts()


def test_problems_nobody_was_asked_are_listed(pages: Pages) -> None:
    file = pages.path / "problems" / "train.parquet"
    more = pl.DataFrame([{"id": "new", "question": "Why?", "answer": "42", "metadata": json.dumps({})}])
    pl.concat([pl.read_parquet(file), more]).write_parquet(file)
    assert rows(pages.get("/"))[-1] == ["new", "Why?", "", "none", "none", "0/0", "0"]
    assert "new" not in {row[0] for row in rows(pages.get("/?show=never"))}
    assert rows(pages.get("/?sort=-solved"))[-1][0] == "new"


def test_other_problems_are_found_in_both_directions(pages: Pages) -> None:
    queue = Queue(pages.chosen)
    for number in range(1, len(queue) + 1):
        here = pages.chosen[number - 1].problem_id
        after, before = queue.other_problem(number, 1), queue.other_problem(number, -1)
        assert all(pages.chosen[n - 1].problem_id == here for n in range(number + 1, after or len(queue) + 1))
        assert all(pages.chosen[n - 1].problem_id == here for n in range((before or 0) + 1, number))


def test_distinct_solutions_that_are_counted_ahead_are_those_of_each_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path)
    ids = [f"orchard-{i:04d}" for i in range(12)]
    lazy, ahead = RunData(tmp_path), RunData(tmp_path)
    ahead.count_ahead()
    monkeypatch.setattr(ahead, "_count_distinct", lambda *args: pytest.fail("texts were read for a list"))
    assert ahead.distinct(ids) == lazy.distinct(ids)
    kept = (
        pl.read_parquet(tmp_path / "samples.parquet").filter(pl.col("correct")).group_by("problem_id").agg(pl.col("generation").n_unique())
    )
    assert lazy.distinct(ids) == dict.fromkeys(ids, 0) | dict(kept.iter_rows())
    assert min(lazy.distinct(ids).values()) == 0


def test_distinct_solutions_are_counted_again_when_the_run_has_more_samples(tmp_path: Path) -> None:
    write_run(tmp_path)
    data = RunData(tmp_path)
    data.count_ahead()
    file = tmp_path / "samples.parquet"
    more = pl.read_parquet(file).filter(pl.col("problem_id") == "orchard-0003").head(1)
    before = data.distinct(["orchard-0003"])["orchard-0003"]
    pl.concat([pl.read_parquet(file), more.with_columns(correct=True, generation=pl.lit("new"))]).write_parquet(file)
    assert data.distinct(["orchard-0003"]) == {"orchard-0003": before + 1}


def headers(page: str) -> list[str]:
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<th role.*?</th>", page, re.S)]


def test_columns_that_are_empty_in_all_rows_are_left_out(tmp_path: Path) -> None:
    pages = open_pages(tmp_path, write_run(tmp_path))
    assert headers(pages.get("/")) == ["id", "question", "level", *MODELS, "correct", "distinct"]
    samples, train = tmp_path / "samples.parquet", tmp_path / "problems" / "train.parquet"
    # Only the first model was asked what nobody solves: the list of these problems has no column of the second.
    table = pl.read_parquet(samples)
    unsolved = table.group_by("problem_id").agg(pl.col("correct").any()).filter(~pl.col("correct"))["problem_id"]
    table.filter((pl.col("model") == MODELS[0]) | ~pl.col("problem_id").is_in(unsolved.to_list())).write_parquet(samples)
    assert headers(pages.get("/?show=never")) == ["id", "question", "level", MODELS[0], "correct", "distinct"]
    assert headers(pages.get("/")) == ["id", "question", "level", *MODELS, "correct", "distinct"]
    assert [len(row) for row in rows(pages.get("/?show=never"))] == [6] * unsolved.len()
    pl.read_parquet(train).with_columns(metadata=pl.lit("{}")).write_parquet(train)
    assert headers(pages.get("/")) == ["id", "question", *MODELS, "correct", "distinct"]
    train.unlink()
    page = pages.get("/")
    assert headers(page) == ["id", *MODELS, "correct", "distinct"]
    assert {len(row) for row in rows(page)} == {5}


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("name", ["samples.parquet", "problems/train.parquet", "audits/chosen.parquet"])
def test_a_file_that_is_not_the_one_that_the_run_wrote_is_said_on_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, size: str
) -> None:
    monkeypatch.setattr(evidence, "_AT_ONCE", 0 if size == "large" else evidence._AT_ONCE)
    chosen = write_run(tmp_path)
    digests = {each: hashlib.sha256((tmp_path / each).read_bytes()).hexdigest() for each in (name, "samples.parquet")}
    (tmp_path / "samples.json").write_text(json.dumps({"sha256": digests["samples.parquet"]}))
    (tmp_path / "digests.jsonl").write_text(json.dumps({"part": name, "sha256": digests[name]}) + "\n")
    pages = open_pages(tmp_path, chosen)
    assert "was changed after the run had written it" not in pages.get("/")
    pl.read_parquet(tmp_path / name).reverse().write_parquet(tmp_path / name)
    said = f"{name} was changed after the run had written it"
    for address in ("/", "/problem?id=orchard-0003", "/label/1"):
        until = time.monotonic() + 20
        while said not in (page := pages.get(address)) and time.monotonic() < until:
            time.sleep(0.01)
        assert f"{said}: what is shown may be another run&#39;s. isocost report {tmp_path} writes it again." in page


@pytest.mark.parametrize("name", ["samples.parquet", "problems/train.parquet", "audits/chosen.parquet", "audits/labels.jsonl"])
def test_a_pipe_in_the_place_of_a_file_keeps_no_page_waiting(pages: Pages, name: str) -> None:
    (pages.path / name).unlink(missing_ok=True)
    os.mkfifo(pages.path / name)
    answer = pages.client.get("/")
    assert answer.status_code == 500
    assert f"{name}: cannot be read: is not an ordinary file, but a pipe or a device" in answer.text


def test_a_pipe_in_the_place_of_the_rates_leaves_the_target_out(pages: Pages) -> None:
    os.mkfifo(pages.path / "audits" / "rates.json")
    assert "12 problems" in pages.get("/")
