"""Access control: only the person with the link, from this machine, and no other site through their browser."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
_HTTP = 80
_SAFE = ("GET", "HEAD")
_USED = "this link has been used\n\nIt opens the pages once, in one browser. For a new link, end isocost view and start it again.\n"
_NO_LINK = (
    "these pages open with the link that isocost view printed\n\nIf it was started again since, it printed another link: open that.\n"
)


class Guard:
    """Pass on requests with the right path, Host, Origin and cookie. The link's token is exchanged for the cookie, once.

    Browsers store cookies by host and path, not by port. The path prefix is random, so that browsers do not send the cookie to other
    servers of this machine. Every path outside the prefix is a 404.

    The check of Host stops a site that resolves its name to 127.0.0.1 (DNS rebinding). The check of Origin stops a form posted by another
    site. The strict cookie stops other requests, because browsers do not send it with requests of other sites.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, prefix: str = "") -> None:
        self._app, self._prefix = app, prefix
        self._token: str | None = token
        self._secret = secrets.token_urlsafe(32)
        self._cookie = f"isocost-{port}"
        suffix = "" if port == _HTTP else f":{port}"  # browsers leave out the default port
        self._hosts = (f"127.0.0.1{suffix}", f"localhost{suffix}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request or pass it on; every answer gets the security headers."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no answer refuses a websocket

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._outside(scope) or self._refusal(scope) or self._exchange(scope)
        await (answer or self._app)({**scope, "root_path": self._prefix}, receive, send_guarded)

    def _outside(self, scope: Scope) -> Response | None:
        name = scope["path"][: len(self._prefix)]
        # In constant time: the time of an answer must not tell how much of a guessed prefix is right.
        inside = secrets.compare_digest(name.encode(), self._prefix.encode()) and scope["path"][len(self._prefix) :].startswith("/")
        return None if inside else Response(status_code=404)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return PlainTextResponse("unknown host\n", status_code=421)
        if origin is None and scope["method"] not in _SAFE:
            return PlainTextResponse(f"a form must say where it comes from: send the header Origin: http://{host}\n", status_code=403)
        # Under `no-referrer`, browsers send `Origin: null` with a form. Sec-Fetch-Site is set by the browser, and no page can change it.
        own_form = origin == "null" and headers.get("sec-fetch-site") == "same-origin"
        if origin is not None and origin != f"http://{host}" and not own_form:
            return PlainTextResponse("asked by another site\n", status_code=403)
        return None

    def _exchange(self, scope: Scope) -> Response | None:
        """Exchange the token of a request for the cookie, or refuse a request without either; None if its cookie is valid."""
        known = secrets.compare_digest(self._sent(scope).encode(), self._secret.encode())
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == f"{self._prefix}/" and given:
            if not known and (self._token is None or not secrets.compare_digest(given.encode(), self._token.encode())):
                return PlainTextResponse(_USED if self._token is None else _NO_LINK, status_code=403)
            # A known browser may open its link again; that must not use up a token that it did not need.
            self._token = self._token if known else None
            return self._welcome(scope)
        return None if known else PlainTextResponse(_NO_LINK, status_code=403)

    def _welcome(self, scope: Scope) -> Response:
        """Set the cookie and redirect to the first page, without the token in the address."""
        # After a link on another site, such as a notebook, browsers do not send a strict cookie along a redirect. A refresh does.
        straight = Headers(scope=scope).get("sec-fetch-site", "none") in ("none", "same-origin")
        first = f"{self._prefix}/"
        refresh = {"refresh": f"0; url={first}"}
        answer = RedirectResponse(first, status_code=303) if straight else Response(headers=refresh, media_type="text/html")
        answer.set_cookie(self._cookie, self._secret, httponly=True, samesite="strict", path=self._prefix or "/")
        return answer

    def _sent(self, scope: Scope) -> str:
        return cookie_parser(Headers(scope=scope).get("cookie", "")).get(self._cookie, "")
