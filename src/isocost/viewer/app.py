"""The routes of the pages and their handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from isocost.errors import InputError, IsocostError
from isocost.ids import digest
from isocost.paths import shell_word
from isocost.viewer.agreeing import agreement_page
from isocost.viewer.browsing import Browsing
from isocost.viewer.choosing import OpenRun, path_of, runs_page
from isocost.viewer.guarding import Guard
from isocost.viewer.labelling import END, Labelling
from isocost.viewer.listing import View
from isocost.viewer.queue import AGREEMENT
from isocost.viewer.rendering import SCRIPTS, Renderer, script, style
from isocost.viewer.unsaved import not_saved, status_of

_LARGEST_BODY = 64 * 1024  # bytes; a verdict with its note is far below
_MOST_FIELDS = 10
_MOST_DIGITS = 10  # Python refuses to parse a number of several thousand digits
_BY_SCRIPT = "isocost-script"  # header of requests by the script, which are answered by an address or an error instead of a page


def viewer(runs: Sequence[OpenRun], *, token: str, port: int, prefix: str = "") -> Starlette:
    """Build the web application of run directories, for one labeller.

    Args:
        runs: The runs. The pages of one are at `/`; several have a list of them there, and their pages below a path each.
        token: Secret that the first request must bring.
        port: Port of the server. Requests with another Host or Origin are refused.
        prefix: Path above all pages: "/" and a random name, so that browsers send the cookie to no other server of this machine.
    """
    routes: list[BaseRoute]
    if len(runs) == 1:
        routes = _pages(runs[0], Renderer(prefix))
    else:
        render = Renderer(prefix)
        routes = [Route("/", lambda request: HTMLResponse(runs_page(runs, render))), *_files()]
        for number, run in enumerate(runs, start=1):
            drafts = f"{digest(str(run.data.path.resolve()))}/"
            own = Renderer(f"{prefix}{path_of(number)}", runs=f"{prefix}/", run=run.name, drafts=drafts)
            routes.append(Mount(path_of(number), routes=_pages(run, own)))
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, token=token, port=port, prefix=prefix)],
        exception_handlers={HTTPException: _not_there, IsocostError: _refused},
        max_body_size=_LARGEST_BODY,
    )


def _pages(run: OpenRun, render: Renderer) -> list[BaseRoute]:
    """Return the routes of a run's pages."""
    data, book, prefix = run.data, run.book, render.prefix
    labelling, browsing = Labelling(data, book, render), Browsing(data, book, render)

    def problems(request: Request) -> Response:
        return HTMLResponse(browsing.problems(View.read(request.query_params)))

    def problem(request: Request) -> Response:
        query = request.query_params
        return _found(browsing.problem(query.get("id", ""), View.read(query), whole="all" in query))

    def solution(request: Request) -> Response:
        return _found(browsing.solution(request.query_params))

    def labelled(request: Request) -> Response:
        query, number = request.query_params, request.path_params["number"]
        if not (number.isascii() and number.isdigit() and len(number) < _MOST_DIGITS):
            raise HTTPException(404)
        return _found(labelling.page(int(number), whole="all" in query, differing=query.get("among") == "differing"))

    def done(request: Request) -> Response:
        left = labelling.where_next()
        return HTMLResponse(labelling.end(shell_word(data.path))) if left == END else _on(prefix + left)

    def agreement(request: Request) -> Response:
        return HTMLResponse(agreement_page(data, book.labels(), book.labeller, render))

    return [
        Route("/", problems),
        Route("/problem", problem),
        Route("/solution", solution),
        Route("/label", _leading(lambda: prefix + labelling.where_next()), methods=["GET"]),
        Route("/label", _writing(labelling, labelling.say), methods=["POST"]),
        Route(END, done),
        Route("/label/differing", _leading(lambda: prefix + labelling.differing().following(0))),
        Route("/label/{number}", labelled),
        Route("/undo", _writing(labelling, labelling.undo), methods=["POST"]),
        Route(AGREEMENT, agreement),
        *_files(),
    ]


def _files() -> list[BaseRoute]:
    """Return the routes of the style sheet and the scripts."""
    scripts = (Route(f"/{name}", _file(partial(script, name), "text/javascript")) for name in SCRIPTS)
    return [Route("/style.css", _file(style, "text/css")), *scripts]


def _writing(labelling: Labelling, write: Callable[[dict[str, str]], str]) -> Callable[[Request], Awaitable[Response]]:
    async def written(request: Request) -> Response:
        form, by_script = {}, _BY_SCRIPT in request.headers
        try:
            form = _form(await request.body())
            # In a thread: appending a label waits for the disk and for the lock of other labellers.
            address = labelling.render.prefix + await run_in_threadpool(write, form)
        except IsocostError as error:
            page, status = await run_in_threadpool(not_saved, labelling, _below(request), form, error)
            return PlainTextResponse(str(error), status_code=status) if by_script else HTMLResponse(page, status_code=status)
        return PlainTextResponse(address) if by_script else _on(address)

    return written


def _below(request: Request) -> str:
    """Return the address of a request without the prefix."""
    return str(request.scope["path"]).removeprefix(request.scope["root_path"])


def _found(page: str | None) -> Response:
    if page is None:
        raise HTTPException(404)
    return HTMLResponse(page)


def _on(address: str) -> Response:
    return RedirectResponse(address, status_code=303)  # a GET follows, so that reloading the page does not post again


def _leading(where: Callable[[], str]) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        return _on(where())

    return answer


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise InputError("not a form of these pages") from error


def _file(content: Callable[[], str], kind: str) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        return Response(content(), media_type=kind)

    return answer


def _not_there(request: Request, error: Exception) -> Response:
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    if status == 404:
        return _error(request, "Not there", "Nothing has this address.", status)
    return _error(request, "Cannot be answered", detail, status)


def _refused(request: Request, error: Exception) -> Response:
    return _error(request, "Not saved" if request.method == "POST" else "Cannot be shown", str(error), status_of(error))


def _error(request: Request, title: str, message: str, status: int) -> Response:
    # Labelling stays blind after an error: the link back from a labelling page leads to labelling, not to pages that show models.
    labelling = _below(request).startswith(("/label", "/undo"))
    back = ("/label", "labelling") if labelling else ("/", "Problems")
    render = Renderer(request.scope["root_path"])
    return HTMLResponse(render("error.html.j2", title=title, message=message, back=back), status_code=status)
