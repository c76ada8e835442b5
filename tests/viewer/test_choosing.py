"""Several runs in one view: a list of them, and the pages of each below a path of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from starlette.testclient import TestClient

from isocost.cli import audits
from isocost.errors import InputError
from isocost.viewer import serving as server
from isocost.viewer.app import viewer
from tests.viewer.conftest import BASE, ORIGIN, PORT, PREFIX, TOKEN, Served, open_run, press, serving
from tests.viewer.rundirs import MODELS, labels, verdicts, write_run

RUNS = ("alpha", "beta")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """The pages of two runs with the same samples."""
    for name in RUNS:
        write_run(tmp_path / name)
    client = TestClient(viewer([open_run(tmp_path / name) for name in RUNS], token=TOKEN, port=PORT, prefix=PREFIX), base_url=BASE)
    assert client.get("/", params={"token": TOKEN}).status_code == 200
    return client


def sample_of(page: str) -> str:
    found = re.search(r'name="sample" value="([^"]*)"', page)
    assert found
    return found[1]


def say(client: TestClient, run: int, number: int, verdict: str) -> str:
    """Label a solution of a run; where the answer leads to."""
    form = {"sample": sample_of(client.get(f"/{run}/label/{number}").text), "verdict": verdict}
    answer = client.post(f"/{run}/label", data=form, headers={"origin": ORIGIN}, follow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["location"].removeprefix(PREFIX)


def test_the_first_page_lists_the_runs_and_leads_to_each(client: TestClient) -> None:
    page = client.get("/").text
    links = re.findall(rf'<a data-stop href="{PREFIX}(/\d+/)">(\w+)</a>', page)
    assert links == [("/1/", "alpha"), ("/2/", "beta")]
    for address, name in links:
        listed = client.get(address).text
        assert f"← Runs <b>{name}</b>" in listed
        assert f'href="{PREFIX}/" aria-keyshortcuts="Escape"' in listed
        assert "12 problems, 192 samples" in listed
    assert page.count('data-name="samples">192<') == 2


def test_labels_stay_with_their_run(client: TestClient, tmp_path: Path) -> None:
    assert say(client, 2, 1, "sound") == "/2/label/2"
    assert say(client, 2, 2, "unsound") == "/2/label/3"
    assert say(client, 1, 1, "unsure") == "/1/label/2"
    assert verdicts(tmp_path / "beta") == [("sound", None), ("unsound", None)]
    assert verdicts(tmp_path / "alpha") == [("unsure", None)]
    page = client.get("/").text
    assert re.findall(r'data-name="labelled by you">([^<]*)<', page) == ["1/6", "2/6"]
    undone = client.post("/2/undo", headers={"origin": ORIGIN}, follow_redirects=False)
    assert undone.headers["location"] == f"{PREFIX}/2/label/2"
    assert len(labels(tmp_path / "alpha")) == 1


def test_a_labelling_page_names_no_run_and_keeps_its_notes_apart(client: TestClient) -> None:
    first, second = client.get("/1/label/1").text, client.get("/2/label/1").text
    for page in (first, second):
        assert not [name for name in (*RUNS, *MODELS) if name in page]
    assert sample_of(first) == sample_of(second)
    drafts = [re.search(r'data-draft="([^"]*)"', page) for page in (first, second)]
    assert all(drafts)
    assert len({found[1] for found in drafts if found}) == 2


def test_nothing_of_any_run_is_shown_without_the_cookie(client: TestClient) -> None:
    stranger = TestClient(client.app, base_url=BASE, follow_redirects=False)
    for address in ("/", "/1/", "/2/label/1", "/2/style.css"):
        assert stranger.get(address).status_code == 403


def test_what_is_not_there_leads_back_to_its_own_run(client: TestClient) -> None:
    assert client.get("/3/").status_code == client.get("/0/").status_code == 404
    missing = client.get("/2/label/99")
    assert missing.status_code == 404
    assert f'href="{PREFIX}/2/label"' in missing.text


def test_a_run_that_cannot_be_read_any_more_does_not_hide_the_others(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "alpha" / "samples.parquet").write_bytes(b"torn")
    page = client.get("/")
    assert page.status_code == 200
    assert "cannot be read" in page.text
    assert page.text.count('data-name="samples">192<') == 1
    assert client.get("/1/").status_code == 500
    assert client.get("/2/").status_code == 200


def test_each_run_has_a_closing_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RUNS:
        write_run(tmp_path / name)

    def stop(*args: object, **options: object) -> None:
        run = open_run(tmp_path / "beta")
        run.book.say(run.data.audited().chosen[0].sample_id, "unsure")
        raise KeyboardInterrupt

    monkeypatch.setattr("uvicorn.Server.run", stop)
    said: list[str] = []
    closing = server.serve({name: tmp_path / name for name in RUNS}, labeller="ann", port=0, say=said.append)
    labelled = "beta: labelled 1/6 (1 unsure); 1 of these labelled this time"
    next_command = f"put the labels into the report: isocost report {tmp_path / 'beta'}"
    assert closing.splitlines() == ["alpha: nothing labelled", labelled, next_command]
    assert len(said) == 1


def test_a_run_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is named twice; name each run once"):
        audits.view([tmp_path, tmp_path / "." / ""])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    write_run(tmp_path / "beta")
    with serving(tmp_path / "alpha", others=[tmp_path / "beta"]) as run:
        yield run


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser_one_goes_from_run_to_run_by_keys(browser: Browser, context: BrowserContext, served: Served, width: int) -> None:
    seen = browser.new_context(viewport={"width": width, "height": 740})
    seen.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = seen.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{served.url}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="beta")).to_be_focused()
    press(page, "Enter")
    assert page.url == f"{served.url}/2/"
    press(page, "l")
    page.keyboard.press("c")
    page.keyboard.type("only of beta")
    page.goto(f"{served.url}/1/label/1")
    expect(page.locator("textarea")).to_have_value("")
    page.goto(f"{served.url}/2/label/1")
    expect(page.locator("textarea")).to_have_value("only of beta")
    press(page, "x")
    assert page.url == f"{served.url}/2/label/2"
    page.goto(f"{served.url}/2/")
    press(page, "Escape")
    assert page.url == f"{served.url}/"
    beta = served.path.parent / "beta"
    assert [(line["verdict"], line["note"]) for line in labels(beta)] == [("unsound", "only of beta")]
    assert labels(served.path) == []
    assert complaints == []
    seen.close()
