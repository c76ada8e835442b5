"""The whole report: its form, its safety, its size, and studies that lack something."""

import csv
import io
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree import ElementTree

import pytest

from isocost.records import Cost, Estimate, Results
from isocost.reporting import Report, report
from isocost.reporting.glossary import GLOSSARY
from isocost.reporting.headline import verdict
from tests.reporting.builder import cell, estimate, results
from tests.reporting.curved import curved

ORDER = ("The students", "The data", "The money", "The paper&#39;s results", "Method and versions", "Glossary")
HOSTILE = "<script>alert(1)</script>\"'](javascript:x)|\n=1\u202e{{ 7*7 }}"
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Tags(HTMLParser):
    """Counts tags and checks that they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def made() -> Report:
    return report(results())


def hostile() -> Results:
    study = results()
    weak = study.cells[0]
    plan = replace(weak.plan, cell=replace(weak.plan.cell, arm=HOSTILE), models=(HOSTILE,), samples_per_problem={HOSTILE: 3.0})
    return replace(
        study,
        study=HOSTILE,
        models=tuple(replace(card, name=HOSTILE, source=HOSTILE, parameters_are=HOSTILE) for card in study.models),
        excluded=((HOSTILE, HOSTILE),),
        cells=(replace(weak, plan=plan, funnel=((HOSTILE, 3),)), *study.cells[1:]),
        pools={HOSTILE: study.pools["weak"]},
        evaluations=tuple(replace(item, student=HOSTILE, prompt=HOSTILE, split="test") for item in study.evaluations),
        comparisons=tuple(replace(item, student=HOSTILE, left=f"{HOSTILE}@low") for item in study.comparisons),
        bill=tuple(replace(line, model=HOSTILE) for line in study.bill),
        seconds={HOSTILE: 1.0},
        environment={HOSTILE: HOSTILE},
    )


def study_without(what: str) -> Results:
    study = results()
    bare = Cost()
    return {
        "training": replace(study, evaluations=(), comparisons=()),
        "comparisons": replace(study, comparisons=()),
        "all but one cell": replace(study, cells=study.cells[:1], evaluations=(), comparisons=()),
        "pools": replace(study, pools={}),
        "estimates": replace(
            study,
            cells=(cell("weak", "low", {"weak": 3.0}, None, 2.6),),
            evaluations=tuple(replace(item, estimate=estimate(None, n=0)) for item in study.evaluations),
            comparisons=tuple(replace(item, difference=estimate(None, n=0)) for item in study.comparisons),
            pools={"weak": {"coverage@3": estimate(None, n=0)}},
        ),
        "any cost": replace(
            study,
            cells=tuple(replace(one, cost=bare, plan=replace(one.plan, cost=bare, unit=None, amount=None)) for one in study.cells),
            bill=tuple(replace(line, cost=bare) for line in study.bill),
            models=tuple(replace(card, parameters=None, flops_per_token=None, usd_per_million=None) for card in study.models),
        ),
        "anything": Results(
            study="nothing",
            models=(),
            n_problems=0,
            excluded=(),
            cells=(),
            pools={},
            evaluations=(),
            comparisons=(),
            bill=(),
            seconds={},
            environment={},
        ),
    }[what]


LACKING = ["training", "comparisons", "all but one cell", "pools", "estimates", "any cost", "anything"]


@pytest.mark.parametrize("what", LACKING)
def test_a_study_that_lacks_something_has_a_sound_report(what: str) -> None:
    made = report(study_without(what))
    assert [tag for tag, _ in Tags(made.html).seen].count("h1") == 1
    assert made.headline.endswith(".")
    assert "None" not in made.html
    assert "nan" not in re.sub(r"<[^>]+>", " ", made.html).split()


def test_one_page_with_real_semantics(made: Report) -> None:
    tags = Tags(made.html)
    names = [tag for tag, _ in tags.seen]
    assert tags.open == []
    assert (names.count("h1"), names.count("main")) == (1, 1)
    assert names.count("caption") == names.count("table") > 8
    assert all("scope" in attributes for tag, attributes in tags.seen if tag == "th")
    ids = [attributes["id"] for _, attributes in tags.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert sum(attributes.get("tabindex") == "0" for _, attributes in tags.seen) == names.count("table")


def test_no_script_and_no_request(made: Report) -> None:
    for text in (made.html, *made.figures.values()):
        assert "<script" not in text
        assert not re.search(r"\s(on\w+|src)=", text)
        assert all(link.startswith(("#", "tables/", "figures/")) for link in re.findall(r"href=\"([^\"]*)", text))
        assert "@import" not in text
        assert not re.search(r"url\((?!#)", text)
        assert set(re.findall(r"https?://[^\"' <]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in made.html


def test_hostile_names_stay_text() -> None:
    made = report(hostile())
    for text in (made.html, made.markdown, *made.figures.values()):
        assert "<script" not in text
        assert "\u202e" not in text
    assert "](javascript" not in made.markdown
    assert "{{ 7*7 }}" in made.html
    Tags(made.html)
    for figure in made.figures.values():
        ElementTree.fromstring(figure)
    assert_rectangular(made.markdown)
    assert "\n" not in made.headline


def assert_rectangular(markdown: str) -> None:
    for block in markdown.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.replace(r"\|", "").count("|") for line in lines}) <= 1


def test_sizes(made: Report) -> None:
    without_figures = re.sub(r'<svg [^>]*class="figure".*?</svg>', "", made.html, flags=re.DOTALL)
    assert len(without_figures.encode()) < 150_000
    assert all(len(figure) < 120_000 for figure in made.figures.values())


def test_many_cells_stay_small() -> None:
    study = results()
    many = tuple(cell(f"arm{i}", "low", {"weak": 3.0}, 0.5, 2.6) for i in range(40))
    without_figures = re.sub(r'<svg [^>]*class="figure".*?</svg>', "", report(replace(study, cells=many)).html, flags=re.DOTALL)
    assert len(without_figures) < 150_000


def test_figures_are_files_of_their_own_with_a_text_alternative(made: Report) -> None:
    assert set(made.figures) == {"coverage_by_cell", "students_by_data"}
    assert set(made.figures) <= set(made.tables)
    for text in made.figures.values():
        root = ElementTree.fromstring(text)
        texts = {child.tag.rpartition("}")[2]: child.text or "" for child in root}
        assert texts["title"]
        assert "95% interval" in texts["desc"]
        assert "prefers-color-scheme" in texts["style"]


def test_csv_holds_full_numbers(made: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(made.tables["coverage_by_cell"])))
    assert rows[0] == {
        "data": "weak@low",
        "covered_share": "0.62",
        "covered_share_low": "0.58",
        "covered_share_high": "0.66",
        "covered_n": "400",
        "covered_n_ungraded": "0",
    }
    undefined = [row for row in csv.DictReader(io.StringIO(made.tables["cells_audited"])) if row["cell"] == "equal@number"]
    assert undefined[0]["false_equations_share"] == ""
    assert undefined[0]["n_audited"] == "0"


def test_the_markdown_has_the_answer_and_every_table(made: Report) -> None:
    assert_rectangular(made.markdown)
    assert all(f"**{sentence}**" in made.markdown for sentence in verdict(results()))
    for title in ORDER:
        assert f"## {unescape(title)}" in made.markdown
    assert len(re.findall(r"^\| -?-", made.markdown, flags=re.MULTILINE)) == made.html.count("<table")


def test_the_answer_comes_first(made: Report) -> None:
    body = made.html[made.html.index("<h1>") :]
    assert body.index("data from weak made a better student") < body.index("<h2")
    order = [body.index(f">{title}</h2>") for title in ORDER]
    assert order == sorted(order)
    assert body.index('id="t-overview"') < body.index("<figure>") < body.index("What the run paid") < order[0]


def test_the_first_screen_has_the_rates_in_use_and_who_judged_them() -> None:
    rate = Estimate(value=0.2, low=0.1, high=0.35, n=50)
    ways = {"weak": ("steps", "people", "combined"), "strong": ("steps", "judge"), "third": ()}
    pools = {model: {"fpr": rate} | {f"fpr/{way}": rate for way in own} if own else {} for model, own in ways.items()}
    made = report(replace(results(), pools=pools))
    first = made.html.partition("<section")[0]
    assert re.findall(r"<dt>(weak|strong|third)</dt><dd>([^<]*)</dd>", first) == [
        ("weak", "20.0% [10.0, 35.0] of 50 checked by people and steps"),
        ("strong", "20.0% [10.0, 35.0] of 50 checked by a judge"),
    ]
    assert "- Right answers of strong with wrong reasoning: 20.0% [10.0, 35.0] of 50 checked by a judge" in made.markdown
    assert "s-wrong" not in report(replace(results(), pools={})).html


def test_a_section_opens_with_its_finding_and_folds_the_rest(made: Report) -> None:
    tags = [tag for tag, _ in Tags(made.html).seen]
    sections = re.findall(r"<section .*?</section>", made.html, flags=re.DOTALL)
    assert len(sections) == len(ORDER) == tags.count("details")
    for section in sections[:-1]:
        assert re.search(r"</h2>\s*<p>[^<]{10,}</p>\s*<details>", section)
        assert section.count("<table") == section.partition("<details>")[2].count("<table")


def test_every_link_has_its_place_or_its_file(made: Report) -> None:
    for link in re.findall(r'href="([^"]+)"', made.html):
        folder, _, name = link.rpartition("/")
        if folder:
            assert name.rpartition(".")[0] in {"tables": made.tables, "figures": made.figures}[folder]
        else:
            assert f'id="{link[1:]}"' in made.html
    assert {f"tables/{name}.csv" for name in made.tables} <= set(re.findall(r'href="([^"]+)"', made.html))


def test_a_caption_is_short_and_a_term_is_explained_once() -> None:
    made = report(curved("weak", "strong", "far"))
    captions = re.findall(r"<(?:caption|figcaption)>(.*?)</(?:caption|figcaption)>", made.html, flags=re.DOTALL)
    assert len(captions) > 15
    for caption in captions:
        assert len(re.sub(r"<[^>]+>", "", caption)) <= 190, caption
    for term in GLOSSARY:
        assert made.html.count(f'id="g-{term.key}"') == 1


def test_amounts_below_a_cent_are_given_for_more_problems() -> None:
    study = results()
    cheap = tuple(
        replace(one, cost=Cost(usd=400 * 8.9e-6), plan=replace(one.plan, unit="usd", amount=400 * 9e-6)) for one in study.cells[:2]
    )
    made = report(replace(study, cells=cheap, evaluations=(), comparisons=()))
    assert made.headline.startswith("At a planned $0.0090 per 1,000 problems, ")
    assert "Cost per 1,000 problems (USD)" in made.html
    assert "$0.0000" not in re.sub(r"<[^>]+>", " ", made.html.partition("<section")[0])


def test_few_problems_are_called_few() -> None:
    made = report(replace(results(), n_problems=12))
    assert "Few problems: 12, under 30." in made.html


def test_a_long_list_of_exclusions_is_cut_on_the_page_but_not_in_the_file() -> None:
    made = report(replace(results(), excluded=tuple((f"p{i}", "no answer") for i in range(500))))
    assert "The first 60 of 500 rows; all are in excluded.csv." in made.html
    assert "p499" not in made.html
    assert "p499" in made.tables["excluded"]


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_at_least_four_and_a_half_in_light_and_dark() -> None:
    light, dark = (files("isocost.reporting") / "palette.css").read_text().strip().splitlines()
    for line in (light, dark):
        colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", line))
        for ink in ("text", "muted", "blue", "orange"):
            for ground in ("paper", "band"):
                low, high = sorted((_luminance(colours[ink]), _luminance(colours[ground])))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground, line)


def test_a_table_that_scrolls_shows_it_at_its_edges_in_light_and_dark(made: Report) -> None:
    """Shadows stand still at both edges; covers of paper move with the table and hide each where there is no more to see."""
    light, dark = (files("isocost.reporting") / "palette.css").read_text().strip().splitlines()
    assert re.search(r"--shade:(#\w+)", light)[1] != re.search(r"--shade:(#\w+)", dark)[1]  # type: ignore[index]
    (rule,) = re.findall(r"^\.scroll{(.*)}$", made.html, flags=re.MULTILINE)
    for side, opposite in (("left", "right"), ("right", "left")):
        assert re.search(rf"gradient\(to {opposite},var\(--paper\)[^)]*\) {side}/\S+ 100% no-repeat local", rule)
        assert re.search(rf"gradient\(to {opposite},var\(--shade\)[^)]*\) {side}/\S+ 100% no-repeat scroll", rule)


def test_an_estimate_breaks_before_its_interval_and_never_inside(made: Report) -> None:
    assert "62.0% [58.0,\u00a066.0]" in made.html
    assert not re.search(r'<td class="estimate">[^<]*, ', made.html)
    assert "62.0% [58.0, 66.0]" in made.markdown
