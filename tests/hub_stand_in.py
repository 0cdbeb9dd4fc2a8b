"""A stand-in of the Hugging Face Hub on this machine: data sets with commits, branches and tags, served over HTTP.

It answers what `huggingface_hub` and `datasets` ask when they read, and writes down what it was asked. The fixture
``hub`` in conftest.py starts one and points both libraries at it::

    def test_something(hub, release_path):
        repository = hub.create("org/m3dsynth")
        first = repository.commit(read_folder(release_path))          # Commit; `first.id` is its hash
        repository.refs["v1"] = first.id                              # a tag
        ...
        assert hub.log.asked("volumes/") == []                        # Exchange(method, path, range, sent)

What is asked for is looked up in a table of routes, the last added first. A file of its own can add more::

    class HubThatIsWrittenTo(HubStandIn):
        def __init__(self):
            super().__init__()
            self.route("POST", "/api/datasets/{org}/{name}/commit/{revision}", self.commit)

        def commit(self, query: Query, org: str, name: str, revision: str) -> Answer:
            repository = self.repository(query, org, name)            # raises RefusedError: 404, or 403 where gated
            ...json.loads(query.body)...
            return Answer.of({"commitOid": repository.commit(files).id, ...})

``{name}`` in a route is one part of the path, ``{name*}`` all that follows; they come unquoted. A route for GET is
also one for HEAD. Files that are no text are "LFS files", as on the Hub: their ETag is their sha256, and reading them
is redirected to another address.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

Files = Mapping[str, bytes]
Handler = Callable[..., "Answer"]

SUNDRIES = ("/api/agent-harnesses", "/api/telemetry")
"""What the libraries ask on their own account; not written down."""


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files below a folder, by their paths in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@dataclass(frozen=True)
class Blob:
    """A file's content as the Hub keeps it."""

    data: bytes

    @property
    def oid(self) -> str:
        """What git calls it."""
        return hashlib.sha1(b"blob %d\0%s" % (len(self.data), self.data)).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def is_lfs(self) -> bool:
        try:
            return "\0" in self.data.decode()
        except UnicodeDecodeError:
            return True

    @property
    def etag(self) -> str:
        return self.sha256 if self.is_lfs else self.oid

    def info(self, path: str) -> dict[str, Any]:
        """An entry of a listing."""
        lfs = {"lfs": {"oid": self.sha256, "size": len(self.data), "pointerSize": 130}} if self.is_lfs else {}
        return {"type": "file", "path": path, "size": len(self.data), "oid": self.oid} | lfs


@dataclass(frozen=True)
class Commit:
    """All files of a repository at one time."""

    id: str
    files: dict[str, bytes]
    title: str
    parent: str | None


@dataclass
class Repository:
    """A data set on the Hub."""

    id: str
    gated: bool = False
    readers: set[str] = field(default_factory=set)
    """Tokens that may read it although it is gated."""
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    """Branches and tags, with their commits."""

    def commit(
        self, files: Mapping[str, bytes | None], title: str = "a commit", branch: str = "main", *, keep: bool = True
    ) -> Commit:
        """Add, replace and (with None) remove files on a branch.

        Args:
            files: By path.
            title: Of the commit.
            branch: Made if it is missing.
            keep: Whether the branch keeps its other files.
        """
        parent = self.refs.get(branch)
        before = self.commits[parent].files if parent and keep else {}
        after = {path: data for path, data in (before | dict(files)).items() if data is not None}
        parts = [parent or "", title, *(f"{path} {Blob(data).oid}" for path, data in sorted(after.items()))]
        commit = Commit(hashlib.sha1("\n".join(parts).encode()).hexdigest(), after, title, parent)
        self.commits[commit.id] = commit
        self.refs[branch] = commit.id
        return commit

    def at(self, revision: str) -> Commit | None:
        """The commit of a branch, a tag or a hash."""
        return self.commits.get(self.refs.get(revision, revision))

    @property
    def head(self) -> Commit:
        """The newest commit of the main branch."""
        return self.commits[self.refs["main"]]


@dataclass(frozen=True)
class Query:
    """What a client asks."""

    method: str
    path: str
    parameters: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def token(self) -> str | None:
        """Of the user who asks, if any."""
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if kind == "Bearer" else None

    @property
    def form(self) -> dict[str, list[str]]:
        """The fields of the body."""
        return parse_qs(self.body.decode(), keep_blank_values=True)

    def is_true(self, name: str) -> bool:
        return self.parameters.get(name, ["false"])[0].lower() == "true"


@dataclass(frozen=True)
class Answer:
    """What it gets."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    resumable: bool = False
    """Whether a part of the body can be asked for."""

    @classmethod
    def of(cls, content: Any, status: int = 200, **headers: str) -> Answer:
        """JSON."""
        return cls(status, json.dumps(content).encode(), {"Content-Type": "application/json"} | headers)


class RefusedError(Exception):
    """An error that is answered.

    Args:
        status: Of HTTP.
        code: As the Hub calls it, such as RepoNotFound.
        message: For people.
        headers: More of them.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.answer = Answer(
            status,
            json.dumps({"error": message}).encode(),
            {"Content-Type": "application/json", "X-Error-Code": code, "X-Error-Message": message}
            | dict(headers or {}),
        )


@dataclass(frozen=True)
class Exchange:
    """What was asked, and how much of the answer was sent."""

    method: str
    path: str
    """Unquoted; that of the file for what was redirected."""
    range: str | None
    sent: int
    """Bytes of the body."""
    status: int


class Log(list[Exchange]):
    """What was asked, in order."""

    def asked(self, fragment: str = "", method: str | None = None) -> list[Exchange]:
        """Those whose path has a fragment."""
        return [one for one in self if fragment in one.path and method in (None, one.method)]

    def sent(self, fragment: str = "") -> int:
        """Bytes sent from paths with a fragment."""
        return sum(one.sent for one in self.asked(fragment))


@dataclass
class _Break:
    fragment: str
    after: int
    times: int


class HubStandIn:
    """The Hub, or as much of it as tests need; a context manager."""

    page = 1000
    """Entries of a listing that are sent at a time."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.log = Log()
        self.instead: dict[str, bytes] = {}
        """What is sent, under the name and ETag of the right one, for a path in a repository."""
        self.is_down = False
        """Whether every answer is 503."""
        self._breaks: list[_Break] = []
        self._blobs: dict[str, tuple[str, bytes]] = {}
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self._numbers = count()
        for base in ("/api/datasets/{org}/{name}", "/api/datasets/{org}/{name}/revision/{revision}"):
            self.route("GET", base, self.info)
        for base in (
            "/api/datasets/{org}/{name}/tree/{revision}",
            "/api/datasets/{org}/{name}/tree/{revision}/{path*}",
        ):
            self.route("GET", base, self.tree)
        self.route("POST", "/api/datasets/{org}/{name}/paths-info/{revision}", self.paths_info)
        self.route("GET", "/api/datasets/{org}/{name}/refs", self.list_refs)
        self.route("GET", "/datasets/{org}/{name}/resolve/{revision}/{path*}", self.resolve)
        self.route("GET", "/cdn/{number}/{path*}", self.stored)

    # For tests.

    def create(self, repo_id: str, **options: Any) -> Repository:
        """A new repository, without a commit."""
        return self.repositories.setdefault(repo_id, Repository(repo_id, **options))

    def break_off(self, fragment: str, after: int = 0, times: int = 1) -> None:
        """Close the connection in the middle of the next answers, with a body, to a GET whose path has a fragment.

        Args:
            fragment: Of the path.
            after: Bytes of the body that are sent.
            times: How many answers.
        """
        self._breaks.append(_Break(fragment, after, times))

    def route(self, method: str, template: str, handler: Handler) -> None:
        """Answer a method and a path with a function of the query and the path's parts."""
        pattern = re.sub(
            r"\\\{(\w+)(\\\*)?\\\}",
            lambda match: f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})",
            re.escape(template),
        )
        self._routes.append((method, re.compile(pattern), handler))

    # Serving.

    def __enter__(self) -> HubStandIn:
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.hub = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, query: Query) -> Answer:
        """What a query gets."""
        if self.is_down:
            return Answer(503)
        method = "GET" if query.method == "HEAD" else query.method
        try:
            for known, pattern, handler in reversed(self._routes):
                if known == method and (match := pattern.fullmatch(query.path)):
                    return handler(query, **{name: unquote(part) for name, part in match.groupdict().items()})
        except RefusedError as refusal:
            return refusal.answer
        return Answer.of({"error": f"no {query.method} {query.path} here"}, 404)

    def cut(self, query: Query) -> int | None:
        """After how many bytes an answer breaks off, if it does."""
        for broken in self._breaks:
            if query.method == "GET" and broken.times and broken.fragment in unquote(query.path):
                broken.times -= 1
                return broken.after
        return None

    # What is asked of repositories.

    def repository(self, query: Query, org: str, name: str) -> Repository:
        """A repository that the user may read."""
        found = self.repositories.get(f"{org}/{name}")
        if found is None:
            raise RefusedError(404, "RepoNotFound", "Repository not found")
        if found.gated and query.token not in found.readers:
            status = 401 if query.token is None else 403
            raise RefusedError(status, "GatedRepo", f"Access to dataset {found.id} is restricted.")
        return found

    def commit_of(self, repository: Repository, revision: str) -> Commit:
        commit = repository.at(revision)
        if commit is None:
            raise RefusedError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def info(self, query: Query, org: str, name: str, revision: str = "main") -> Answer:
        """What there is to know of a repository."""
        repository = self.repository(query, org, name)
        if revision == "main" and not repository.commits:
            return Answer.of({"id": repository.id, "sha": "0" * 40, "siblings": [], "gated": repository.gated})
        commit = self.commit_of(repository, revision)
        return Answer.of(
            {
                "id": repository.id,
                "author": org,
                "sha": commit.id,
                "private": False,
                "gated": "manual" if repository.gated else False,
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "tags": [],
                "lastModified": "2026-01-01T00:00:00.000Z",
                "createdAt": "2026-01-01T00:00:00.000Z",
                "siblings": [{"rfilename": path} for path in sorted(commit.files)],
            }
        )

    def tree(self, query: Query, org: str, name: str, revision: str, path: str = "") -> Answer:
        """A listing of a folder, or of all below it."""
        commit = self.commit_of(self.repository(query, org, name), revision)
        entries = list(_listing(commit, path, deep=query.is_true("recursive")))
        if path and not entries:
            raise RefusedError(404, "EntryNotFound", f"{path} does not exist on {revision}")
        first = int(query.parameters.get("cursor", ["0"])[0])
        headers = {}
        if first + self.page < len(entries):
            kept = "&".join(f"{key}={value[0]}" for key, value in query.parameters.items() if key != "cursor")
            following = f"{self.endpoint}{query.path}?{kept}&cursor={first + self.page}"
            headers["Link"] = f'<{following}>; rel="next"'
        return Answer.of(entries[first : first + self.page], **headers)

    def paths_info(self, query: Query, org: str, name: str, revision: str) -> Answer:
        """What some paths are; those that are nothing are left out."""
        commit = self.commit_of(self.repository(query, org, name), revision)
        entries = {entry["path"]: entry for entry in _listing(commit, "", deep=True)}
        asked = (
            json.loads(query.body)["paths"]
            if "json" in query.headers.get("Content-Type", "")
            else query.form.get("paths", [])
        )
        return Answer.of([entries[path] for path in asked if path in entries])

    def list_refs(self, query: Query, org: str, name: str) -> Answer:
        """Branches and tags; every other than main is listed as a tag."""
        refs = self.repository(query, org, name).refs
        listed = {
            kind: [
                {"name": ref, "ref": f"refs/{prefix}/{ref}", "targetCommit": commit}
                for ref, commit in refs.items()
                if (ref == "main") == (kind == "branches")
            ]
            for kind, prefix in (("branches", "heads"), ("tags", "tags"))
        }
        return Answer.of(listed | {"converts": []})

    def resolve(self, query: Query, org: str, name: str, revision: str, path: str) -> Answer:
        """A file, or where it is."""
        commit = self.commit_of(self.repository(query, org, name), revision)
        of_commit = {"X-Repo-Commit": commit.id}
        if path not in commit.files:
            raise RefusedError(404, "EntryNotFound", "Entry not found", of_commit)
        blob = Blob(commit.files[path])
        data = self.instead.get(path, blob.data)
        if not blob.is_lfs:
            return Answer(200, data, of_commit | {"ETag": f'"{blob.etag}"'}, resumable=True)
        number = str(next(self._numbers))
        self._blobs[number] = (blob.sha256, data)
        linked = {"X-Linked-Etag": f'"{blob.etag}"', "X-Linked-Size": str(len(blob.data))}
        # Elsewhere, as far as a client can tell.
        location = f"{self.endpoint.replace('127.0.0.1', 'localhost')}/cdn/{number}/{quote(path)}"
        return Answer(302, b"", of_commit | linked | {"Location": location})

    def stored(self, query: Query, number: str, path: str) -> Answer:
        """The content of an LFS file."""
        sha256, data = self._blobs[number]
        if query.token is not None:
            raise RefusedError(400, "TokenSentElsewhere", "a token was sent to another host")
        return Answer(200, data, {"ETag": f'"{sha256}"'}, resumable=True)


def _listing(commit: Commit, path: str, *, deep: bool) -> Iterator[dict[str, Any]]:
    """The files and folders in a folder, or all below it."""
    start = f"{path}/" if path else ""
    folders: set[str] = set()
    for name in sorted(name for name in commit.files if name.startswith(start)):
        parts = name.removeprefix(start).split("/")
        above = [start + "/".join(parts[: depth + 1]) for depth in range(len(parts) - 1)]
        for folder in above if deep else above[:1]:
            if folder not in folders:
                folders.add(folder)
                yield {"type": "directory", "path": folder, "size": 0, "oid": hashlib.sha1(folder.encode()).hexdigest()}
        if deep or len(parts) == 1:
            yield Blob(commit.files[name]).info(name)


class _Server(ThreadingHTTPServer):
    hub: HubStandIn
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms
    server: _Server

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        body = self._body()
        query = Query(self.command, split.path, parse_qs(split.query), self.headers, body)
        answer = self.server.hub.answer(query)
        status, data, headers = _part(answer, self.headers.get("Range"))
        is_sent = self.command != "HEAD"
        cut = self.server.hub.cut(query) if data and is_sent else None
        sent = data[:cut] if is_sent else b""
        # Before the client can know of it, and the test go on.
        if not query.path.startswith(SUNDRIES):
            exchange = Exchange(query.method, unquote(query.path), self.headers.get("Range"), len(sent), status)
            self.server.hub.log.append(exchange)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(sent)
        if cut is not None:
            self.close_connection = True

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *arguments: Any) -> None:
        """The log of the hub is enough."""


def _part(answer: Answer, wanted: str | None) -> tuple[int, bytes, dict[str, str]]:
    """The part of an answer that a Range header asks for."""
    size = len(answer.body)
    if not answer.resumable or wanted is None:
        return answer.status, answer.body, answer.headers | ({"Accept-Ranges": "bytes"} if answer.resumable else {})
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    assert match is not None
    if match[1]:
        start, stop = int(match[1]), min(int(match[2] or size - 1) + 1, size)
    else:
        start, stop = max(size - int(match[2]), 0), size
    if start >= size:
        return 416, b"", {"Content-Range": f"bytes */{size}"}
    headers = answer.headers | {"Content-Range": f"bytes {start}-{stop - 1}/{size}", "Accept-Ranges": "bytes"}
    return 206, answer.body[start:stop], headers
