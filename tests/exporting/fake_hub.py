"""A local server with the part of the hub's API that pushing a data set or a model uses."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlparse


@dataclass
class FakeHub:
    """What the server holds, and how it behaves."""

    address: str = ""
    token: str = "hf_good"
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    refuses_commits: bool = False
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes, authorised: bool) -> tuple[int, Any]:
        self.requests.append(f"{method} {path}")
        if not authorised:
            return 401, {"error": "Invalid credentials"}
        if path == "/api/whoami-v2":
            return 200, {"name": "me", "type": "user"}
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/repos/delete":
            given = json.loads(body)
            self.repos.pop(f"{given.get('organization', 'me')}/{given['name']}")
            return 200, {}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        kind, _, rest = path.removeprefix("/api/").partition("/")
        name, action = "/".join(rest.split("/")[:2]), "/".join(rest.split("/")[2:3])
        if self.kinds.get(name, "dataset") != kind.removesuffix("s") or name not in self.repos:
            return 404, {"error": "Repository not found"}
        if action == "preupload":
            each = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]]
            return 200, {"files": each}
        return self._commit(name, body) if action == "commit" else (200, {"id": name, "sha": "0" * 40, "siblings": []})

    def _create(self, given: dict[str, Any]) -> tuple[int, Any]:
        name = f"{given.get('organization', 'me')}/{given['name']}"
        if name in self.repos:
            return 409, {"error": "You already created this dataset repo"}
        self.repos[name], self.private[name] = {}, bool(given.get("private")) or given.get("visibility") == "private"
        self.kinds[name] = given.get("type", "model")  # a request without a kind means a model
        return 200, {"url": f"{self.address}/{'' if self.kinds[name] == 'model' else 'datasets/'}{name}"}

    def _commit(self, name: str, body: bytes) -> tuple[int, Any]:
        if self.refuses_commits:
            return 403, {"error": "Forbidden"}
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.repos[name][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        return 200, {"commitUrl": f"{self.address}/datasets/{name}/commit/1", "commitOid": "1" * 40, "success": True}


@contextmanager
def served() -> Iterator[FakeHub]:
    """Serve a hub on a free port of the loopback address."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            authorised = self.headers.get("Authorization") == f"Bearer {hub.token}"
            status, data = hub.answer(self.command, urlparse(self.path).path, body, authorised)
            text = json.dumps(data).encode()
            self.send_response(status)
            if status == 404:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = do  # noqa: N815 - the names that the server looks for

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
