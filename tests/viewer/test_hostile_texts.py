"""What models and users wrote comes out as text, whatever it is."""

import html
import re
from pathlib import Path

import pytest

from isocost.viewer.visible import first_line, visible
from tests.viewer.conftest import open_pages
from tests.viewer.rundirs import labels, write_run

TEXTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</pre></section><form action=http://evil.example><button>sound</button>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }} {% for i in x %} ${7*7}",
    "<!-- --><style>*{display:none}</style>",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eevil\u202c \u2066isolated\u2069 \u200e\u200f",
    "a\x00b\x08c\x7fd\x85e",
    "zero\u200bwidth\ufeff \U000e0041tag",
    "line\r\nline\rline",
    "&lt;b&gt; &amp; \u2028 \u2029",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_solution_is_text_on_every_page(tmp_path: Path, text: str) -> None:
    chosen = write_run(tmp_path, n_problems=4, texts=[text])
    pages = open_pages(tmp_path, chosen)
    plain = re.sub(r"<[^>]*>", "", pages.get("/label/1"))
    assert visible(text) in html.unescape(plain)
    for address in ("/label/1", f"/problem?id={chosen[0].problem_id}&all=1"):
        page = pages.get(address)
        assert text not in page or not re.search("[<>&\x00-\x08\x1b\u202e]", text)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", page)
        assert set(re.findall("<script[^>]*>", page)) <= {f'<script src="/{name}" defer>' for name in ("keys.js", "saving.js")}
        assert "<img" not in page
        assert "onload" not in re.sub(r">[^<]*<", "><", page)
        assert page.count("<style") == 0


def test_hidden_characters_are_seen_not_dropped() -> None:
    assert visible("\x1b[0m \u202e\x00\x7f\x85 a\r\nb\tc") == "␛[0m [U+202E]␀␡[U+0085] a\nb\tc"
    assert visible("Füße ½ √2 𝑥 👩‍👧 שלום") == "Füße ½ √2 𝑥 👩‍👧 שלום"


def test_a_line_of_a_table_is_one_line() -> None:
    assert first_line("a\n b\t\tc  d", 40) == "a b c d"
    assert first_line("x" * 100, 10) == "x" * 9 + "…"


def test_names_and_questions_are_text_too(tmp_path: Path) -> None:
    evil = '<b onclick="x()">m</b>'
    chosen = write_run(tmp_path, n_problems=3, models=(evil, "b"))
    pages = open_pages(tmp_path, chosen)
    for address in ("/", f"/problem?id={chosen[0].problem_id}"):
        assert evil not in pages.get(address)
        assert html.escape(evil, quote=False) in pages.get(address).replace("&#34;", '"')


def test_a_note_is_one_line_of_text(tmp_path: Path) -> None:
    chosen = write_run(tmp_path)
    pages = open_pages(tmp_path, chosen)
    pages.post("/label", sample=chosen[0].sample_id, verdict="unsure", note="<b>\r\n\u202enote</b>" + "x" * 5000)
    assert len(labels(tmp_path)[0]["note"]) == 2000
    page = pages.get("/label/1")
    assert "<b>\u202e" not in page
    assert "&lt;b&gt; [U+202E]note" in page


def test_a_line_of_a_megabyte_is_cut_until_it_is_asked_for(tmp_path: Path) -> None:
    chosen = write_run(tmp_path, texts=["<" * 1_000_000])
    pages = open_pages(tmp_path, chosen)
    assert len(pages.get("/label/1")) < 200_000
    assert "980,000 characters more" in pages.get("/label/1")
    assert pages.get("/label/1?all=1").count("&lt;") == 1_000_000
    problem = pages.get(f"/problem?id={chosen[0].problem_id}")
    assert len(problem) < 200_000
    (whole,) = {html.unescape(found) for found in re.findall(r'href="(/solution[^"]*)"', problem)}
    assert pages.get(whole).count("&lt;") == 1_000_000
