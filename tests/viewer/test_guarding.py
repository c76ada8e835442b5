"""Who is let in: the browser with the link, and no other site through it."""

import itertools
import re

import pytest
from starlette.testclient import TestClient

from tests.viewer.conftest import BASE, ORIGIN, PORT, PREFIX, TOKEN, Pages


@pytest.fixture
def stranger(pages: Pages) -> TestClient:
    """Another browser, after the link was used."""
    return TestClient(pages.client.app, base_url=BASE, follow_redirects=False)


@pytest.mark.parametrize(
    "address", ["/", "/label", "/label/1", "/agreement", "/style.css", "/keys.js", "/problem?id=orchard-0000", "/nothing"]
)
def test_nothing_is_shown_without_the_cookie(stranger: TestClient, address: str) -> None:
    answer = stranger.get(address)
    assert answer.status_code == 403
    assert "orchard" not in answer.text


def test_the_token_becomes_a_strict_cookie_once_and_leaves_the_address(tmp_path: object, pages: Pages) -> None:
    fresh = TestClient(pages.client.app, base_url=BASE, follow_redirects=False)
    used = fresh.get("/", params={"token": TOKEN})
    assert used.status_code == 403
    assert "has been used" in used.text
    assert "set-cookie" not in used.headers
    again = pages.client.get("/", params={"token": TOKEN}, follow_redirects=False)  # the browser that has the cookie
    assert (again.status_code, again.headers["location"]) == (303, f"{PREFIX}/")
    cookie = again.headers["set-cookie"]
    assert cookie.startswith(f"isocost-{PORT}=")
    assert {"httponly", "samesite=strict", f"path={PREFIX}"} <= {part.strip().lower() for part in cookie.split(";")}
    assert TOKEN not in cookie


@pytest.mark.parametrize("token", ["", "wrong", "thé-tokén", TOKEN + "x", TOKEN[:-1]])
def test_a_wrong_token_is_refused(stranger: TestClient, token: str) -> None:
    answer = stranger.get("/", params={"token": token})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_link_followed_from_another_site_comes_in_by_a_refresh(tmp_path: object, pages: Pages) -> None:
    answer = pages.client.get("/", params={"token": TOKEN}, headers={"sec-fetch-site": "cross-site"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["refresh"]) == (200, f"0; url={PREFIX}/")


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", f"127.0.0.1:{PORT}.evil.example", ""]
)
def test_a_name_that_was_bound_to_this_machine_is_refused(pages: Pages, host: str) -> None:
    assert pages.client.get("/", headers={"host": host}).status_code == 421


def test_localhost_is_this_machine_too(pages: Pages) -> None:
    assert pages.client.get("/", headers={"host": f"localhost:{PORT}"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"http://127.0.0.1:{PORT + 1}", f"https://127.0.0.1:{PORT}", None])
def test_a_form_of_another_site_is_refused(pages: Pages, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    form = {"sample": pages.chosen[0].sample_id, "verdict": "sound"}
    assert pages.client.post("/label", data=form, headers=headers).status_code == 403
    assert not (pages.path / "audits" / "labels.jsonl").exists()


def test_a_form_of_the_page_itself_is_known_by_its_site_where_browsers_leave_the_origin_out(pages: Pages) -> None:
    form = {"sample": pages.chosen[0].sample_id, "verdict": "sound"}
    for site, status in (("same-site", 403), ("cross-site", 403), ("none", 403), ("same-origin", 303)):
        headers = {"origin": "null", "sec-fetch-site": site}
        assert pages.client.post("/label", data=form, headers=headers, follow_redirects=False).status_code == status, site
    evil = {"origin": "http://evil.example", "sec-fetch-site": "same-origin"}
    assert pages.client.post("/label", data=form, headers=evil).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/", f"/?token={TOKEN}", "/label/1", "/style.css", PREFIX, f"{PREFIX}x/", f"/x{PREFIX}/", "//", PREFIX[:-1] + "/", "/favicon.ico"],
)
def test_outside_the_prefix_nothing_is_there(pages: Pages, stranger: TestClient, path: str) -> None:
    for client, method in itertools.product((pages.client, stranger), ("GET", "HEAD", "POST", "PUT", "OPTIONS")):
        answer = client.request(method, ORIGIN + path, headers={"origin": ORIGIN}, follow_redirects=False)
        assert (answer.status_code, answer.content) == (404, b"")
        assert {"set-cookie", "location", "refresh"}.isdisjoint(answer.headers)
    assert pages.get("/")  # and the link of the prefix was not used up


def test_a_script_of_another_site_is_refused(pages: Pages) -> None:
    assert pages.client.get("/", headers={"origin": "http://evil.example"}).status_code == 403


def test_a_large_body_is_refused(pages: Pages) -> None:
    form = {"sample": pages.chosen[0].sample_id, "verdict": "sound", "note": "x" * 100_000}
    assert pages.client.post("/label", data=form, headers={"origin": ORIGIN}).status_code == 413


@pytest.mark.parametrize("address", ["/", "/label/1", "/nothing", "/style.css"])
def test_every_answer_keeps_the_page_to_itself(pages: Pages, address: str) -> None:
    headers = pages.client.get(address).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    assert headers["referrer-policy"] == "no-referrer"


def test_cookies_of_other_pages_of_this_machine_do_no_harm(pages: Pages) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in pages.client.cookies.items())
    bare = TestClient(pages.client.app, base_url=BASE)
    assert bare.get("/", headers={"cookie": f'bad name=1; {{"json"}}; {cookie}; x="unclosed'}).status_code == 200


def test_pages_name_no_other_host(pages: Pages) -> None:
    for address in ("/", "/label/1", f"/problem?id={pages.chosen[0].problem_id}", "/agreement", "/label/done", "/style.css", "/keys.js"):
        assert not re.search(r"(https?:)?//[a-z0-9]", pages.get(address)), address
