"""The walk through disagreements: blind, and never before one's own verdict stands."""

import re

import pytest

from tests.viewer.conftest import Pages, location, open_pages
from tests.viewer.rundirs import MODELS

ANN = ("sound", "sound", "unsound", "unsure", "sound")
BO = ("sound", "unsound", "sound", "sound", "unsound")


def say(pages: Pages, place: int, verdict: str, **more: str) -> str:
    return pages.post("/label", sample=pages.chosen[place].sample_id, verdict=verdict, **more)


@pytest.fixture
def two(pages: Pages) -> tuple[Pages, Pages]:
    other = open_pages(pages.path, pages.chosen, "bo")
    for place, (ann, bo) in enumerate(zip(ANN, BO, strict=True)):
        say(pages, place, ann)
        say(other, place, bo, note=f"seen by bo {place}")
    return pages, other


def test_the_page_of_agreement_links_to_blind_pages(two: tuple[Pages, Pages]) -> None:
    for pages in two:
        page = pages.get("/agreement")
        assert re.findall(r'href="(/label/\d[^"]*)"', page) == [f"/label/{n}?among=differing" for n in (2, 3, 5)]
        assert "/problem" not in page
        assert 'href="/label/differing"' in page
    assert location(two[0].client.get("/label/differing").url.path) == "/label/2"


def test_a_walk_leads_from_one_to_the_next_and_back_to_the_comparison(two: tuple[Pages, Pages]) -> None:
    pages, _ = two
    page = pages.get("/label/3?among=differing")
    assert "disagreement 2 of 3" in page
    assert re.findall(r'href="(/label/\d[^"]*)" aria-keyshortcuts="([jk])"', page) == [
        ("/label/2?among=differing", "k"),
        ("/label/5?among=differing", "j"),
    ]
    assert not [model for model in MODELS if model in page]
    assert say(pages, 2, "sound", among="differing") == "/label/5?among=differing"
    assert say(pages, 4, "sound", among="differing") == "/agreement"  # ann stays with it
    assert pages.post("/undo", among="differing") == "/label/3?among=differing"
    assert re.findall(r'href="(/label/\d[^"]*)"', pages.get("/agreement")) == [f"/label/{n}?among=differing" for n in (2, 3, 5)]


def test_what_the_other_said_is_shown_only_there_and_only_while_ones_own_verdict_stands(two: tuple[Pages, Pages]) -> None:
    pages, _ = two
    assert "seen by bo 1" in pages.get("/label/2?among=differing")
    assert "seen by bo 1" not in pages.get("/label/2")
    for number in (1, 4, 6):  # alike, unsure, not labelled
        assert "seen by bo" not in pages.get(f"/label/{number}?among=differing")
    say(pages, 1, "unsure")
    assert "seen by bo" not in pages.get("/label/2?among=differing")


def test_a_third_person_is_not_told_which_ones_two_others_differ_on(two: tuple[Pages, Pages]) -> None:
    pages, _ = two
    third = open_pages(pages.path, pages.chosen, "cy")
    page = third.get("/agreement")
    assert "/label/" not in page
    assert "They differ on 3 solutions" in page
    for number in range(1, 7):
        assert "seen by bo" not in third.get(f"/label/{number}?among=differing")
    assert location(third.client.get("/label/differing").url.path) == "/agreement"
