"""What the pages say: of what was done last, of what was not saved, of what changed meanwhile, and how far it is."""

import html
import json
import re
from pathlib import Path

import pytest

from isocost.errors import StorageError
from isocost.store import Log
from isocost.viewer.standing import target
from tests.viewer.conftest import ORIGIN, Pages, location, open_pages
from tests.viewer.rundirs import MODELS, labels, write_run

SCRIPT = {"origin": ORIGIN, "isocost-script": "1"}


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form of a page."""
    return {name: html.unescape(value) for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)}


def status(page: str) -> str:
    found = re.search(r'<span class="last">(.*?)</span>', page)
    return html.unescape(found[1]) if found else ""


def verdicts(pages: Pages) -> list[str]:
    return [line["verdict"] for line in labels(pages.path)]


def test_the_status_says_what_was_done_last(pages: Pages) -> None:
    first = {"sample": pages.chosen[0].sample_id}
    assert status(pages.get("/label/1")) == ""
    pages.post("/label", **first, verdict="skip")
    assert status(pages.get("/label/2")) == "skipped 1: it comes again at the end"
    pages.post("/label", **first, verdict="sound")
    pages.post("/label", sample=pages.chosen[4].sample_id, reason="lucky", note="7 < 8")
    assert status(pages.get("/label/6")) == "saved 5: unsound: lucky (7 < 8)"
    pages.post("/undo")
    assert status(pages.get("/label/5")) == "undone 5: unsound: lucky (7 < 8)"
    pages.post("/undo")
    assert status(pages.get("/label/1")) == "undone 1: sound"
    pages.post("/undo")
    assert status(pages.get("/label/1")) == "undone 1: skip"


def test_the_number_of_all_solutions_is_said_once(pages: Pages) -> None:
    page = re.sub(r"<[^>]*>", "", pages.get("/label/1"))
    assert "labelled 0/6" in page
    assert "of 6" not in page


def test_a_page_that_is_out_of_date_asks_before_it_changes_a_verdict(pages: Pages) -> None:
    one, other = fields(pages.get("/label/1")), fields(pages.get("/label/1"))
    assert pages.post("/label", **one, verdict="sound", note="checked twice") == "/label/2"
    answer = pages.client.post("/label", data={**other, "reason": "lucky", "note": "a guess"}, headers={"origin": ORIGIN})
    assert answer.status_code == 409
    text = html.unescape(answer.text)
    assert "sound (checked twice)" in text
    assert "unsound: lucky (a guess)" in text
    assert verdicts(pages) == ["sound"]
    assert not [model for model in MODELS if model in text]
    assert pages.post("/label", **fields(answer.text)) == "/label/2"
    assert [(line["verdict"], line["note"]) for line in labels(pages.path)] == [("sound", "checked twice"), ("unsound", "a guess")]


def test_a_verdict_that_was_undone_elsewhere_is_asked_for_too_and_one_that_is_alike_is_not(pages: Pages) -> None:
    first = fields(pages.get("/label/1"))
    pages.post("/label", **first, verdict="sound")
    assert pages.post("/label", **first, verdict="sound") == "/label/2"
    assert pages.post("/label", **first, verdict="skip") == "/label/2"
    late = fields(pages.get("/label/1"))
    pages.post("/undo")
    answer = pages.client.post("/label", data={**late, "verdict": "unsound"}, headers={"origin": ORIGIN})
    assert answer.status_code == 409
    assert "not labelled (undone)" in answer.text
    assert verdicts(pages) == ["sound", "undo"]


def test_undo_takes_back_only_what_the_page_showed_as_the_last_word(pages: Pages) -> None:
    pages.post("/label", sample=pages.chosen[0].sample_id, verdict="sound")
    late = fields(pages.get("/label/2"))
    pages.post("/label", sample=pages.chosen[3].sample_id, verdict="unsound")
    answer = pages.client.post("/undo", data=late, headers={"origin": ORIGIN})
    assert answer.status_code == 409
    assert "4: unsound" in answer.text
    assert verdicts(pages) == ["sound", "unsound"]
    assert pages.post("/undo", **fields(answer.text)) == "/label/4"
    assert verdicts(pages) == ["sound", "unsound", "undo"]


def test_two_processes_of_one_labeller_are_two_tabs(pages: Pages) -> None:
    again = open_pages(pages.path, pages.chosen)
    late = fields(again.get("/label/1"))
    pages.post("/label", sample=pages.chosen[0].sample_id, verdict="sound")
    assert again.client.post("/label", data={**late, "verdict": "unsound"}, headers={"origin": ORIGIN}).status_code == 409


def test_what_cannot_be_saved_keeps_the_note_and_can_be_sent_again(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("labels.jsonl: the disk is full")

    form = {**fields(pages.get("/label/1")), "verdict": "unsound", "note": 'it says "7 < 6"'}
    with monkeypatch.context() as patched:
        patched.setattr(Log, "append", full)
        answer = pages.client.post("/label", data=form, headers={"origin": ORIGIN})
        by_script = pages.client.post("/label", data=form, headers=SCRIPT)
    assert (by_script.status_code, by_script.text) == (500, "labels.jsonl: the disk is full")
    assert answer.status_code == 500
    assert "it says &#34;7 &lt; 6&#34;" in answer.text
    assert pages.post("/label", **fields(answer.text)) == "/label/2"
    assert [line["note"] for line in labels(pages.path)] == ['it says "7 < 6"']


def test_the_script_is_told_the_address(pages: Pages) -> None:
    answer = pages.client.post("/label", data={"sample": pages.chosen[0].sample_id, "verdict": "sound"}, headers=SCRIPT)
    assert (answer.status_code, location(answer.text)) == (200, "/label/2")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_damaged_line_is_said_on_the_page_and_nothing_is_written(pages: Pages) -> None:
    pages.post("/label", sample=pages.chosen[0].sample_id, verdict="sound")
    file = pages.path / "audits" / "labels.jsonl"
    file.write_text("oops\n" + file.read_text())
    before = file.read_text()
    answer = pages.client.post("/label", data={"sample": pages.chosen[1].sample_id, "verdict": "sound"}, headers={"origin": ORIGIN})
    assert answer.status_code == 500
    assert "labels.jsonl:1: this line cannot be read as JSON" in answer.text
    assert pages.client.get("/label/1").status_code == 500
    assert file.read_text() == before


def write_rates(path: Path, chosen: dict[str, int], *needed: tuple[str, str, int | None, int | None]) -> None:
    pairs = [{"models": [a, b], "labels": labels, "with_judge": judge} for a, b, labels, judge in needed]
    found = {"models": {model: {"chosen": n} for model, n in chosen.items()}, "labels_needed": pairs}
    (path / "audits").mkdir(exist_ok=True)
    (path / "audits" / "rates.json").write_text(json.dumps(found))


def test_the_next_target_is_that_of_all_labels_which_gives_the_rarer_model_its_own(tmp_path: Path) -> None:
    write_rates(tmp_path, {"a": 100, "b": 300, "c": 400}, ("a", "b", 50, 20), ("b", "c", 120, None), ("a", "c", 101, None))
    near, far = target(tmp_path, 159), target(tmp_path, 160)
    assert near
    assert far
    assert (near.labels, near.pairs, near.all_pairs) == (160, 1, 3)
    assert (far.labels, far.pairs) == (320, 2)  # the third pair needs more than were chosen
    assert near.said(37) == "37 of about 160 labels that tell two models apart"
    assert far.said(160) == "160 of about 320 labels that tell 2 pairs of models apart"
    assert far.said(1320) == "about 320 labels tell 2 pairs of models apart: reached"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"models": {"a": {}}, "labels_needed": []}', '{"models": {}, "labels_needed": [{}]}'])
def test_without_a_target_there_is_no_line(tmp_path: Path, text: str) -> None:
    assert target(tmp_path, 0) is None
    (tmp_path / "audits").mkdir()
    (tmp_path / "audits" / "rates.json").write_text(text)
    assert target(tmp_path, 0) is None
    write_rates(tmp_path, {"a": 10, "b": 10}, ("a", "b", None, None), ("a", "b", 11, None))
    assert target(tmp_path, 0) is None


def test_the_pages_show_the_target_and_no_model(tmp_path: Path) -> None:
    pages = open_pages(tmp_path, write_run(tmp_path))
    write_rates(tmp_path, dict.fromkeys(MODELS, 3), (*MODELS, 2, None))
    pages.post("/label", sample=pages.chosen[0].sample_id, verdict="sound")
    pages.post("/label", sample=pages.chosen[1].sample_id, verdict="unsure")
    page = pages.get("/label/3")
    assert "1 of about 4 labels that tell two models apart" in page
    assert not [model for model in MODELS if model in page]
    assert "1 of about 4 labels" in pages.get("/")
