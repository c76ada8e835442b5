"""A local server with the part of the hub's API that pushing a data set uses."""

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
        name, _, rest = path.removeprefix("/api/datasets/").partition("/preupload/")
        if rest:
            each = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]]
            return 200, {"files": each}
        name, _, rest = path.removeprefix("/api/datasets/").partition("/commit/")
        if rest:
            return self._commit(name, body)
        name = "/".join(path.removeprefix("/api/datasets/").split("/")[:2])
        return (200, {"id": name, "sha": "0" * 40, "siblings": []}) if name in self.repos else (404, {"error": "Repository not found"})

    def _create(self, given: dict[str, Any]) -> tuple[int, Any]:
        name = f"{given.get('organization', 'me')}/{given['name']}"
        if name in self.repos:
            return 409, {"error": "You already created this dataset repo"}
        self.repos[name], self.private[name] = {}, bool(given.get("private")) or given.get("visibility") == "private"
        return 200, {"url": f"{self.address}/datasets/{name}"}

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
