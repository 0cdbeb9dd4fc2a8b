"""The stand-in of the Hub, written to: what `huggingface_hub` asks when it makes a repository and commits to it.

Large files go the way of git LFS (Xet is switched off by the fixture ``hub``): the client says what it has, is told
what is missing, and puts that. A test can have the Hub refuse, lose or corrupt what it gets::

    hub.accepts = 3                  # so many objects, then 403
    hub.loses = {"data/..."}         # left out of commits
    hub.corrupts = {"volumes/..."}   # a byte changed in commits
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from typing import Any

from hub_stand_in import Answer, Blob, Commit, HubStandIn, Query, RefusedError, Repository

ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
"""In the first commit of every repository."""


class HubThatIsWrittenTo(HubStandIn):
    """The Hub with one user, whose token is ``writer``."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        """Large files by their sha256, in a commit or not."""
        self.put: list[str] = []
        """Every object that was sent, in order; twice if it was sent twice."""
        self.settings: dict[str, dict[str, Any]] = {}
        self.accepts: int | None = None
        self.loses: set[str] = set()
        self.corrupts: set[str] = set()
        self.commits: list[Commit] = []
        self.operations: list[int] = []
        """How many files each commit changed."""
        self._branches = {"main"}
        self._one_at_a_time = threading.Lock()
        api = "/api/datasets/{org}/{name}"
        self.route("GET", api, self.info)
        self.route("GET", api + "/revision/{revision}", self.info)
        self.route("GET", api + "/refs", self.list_refs)
        self.route("POST", "/api/repos/create", self.make)
        self.route("POST", "/api/validate-yaml", self.validate)
        self.route("PUT", api + "/settings", self.change_settings)
        self.route("POST", api + "/branch/{branch}", self.branch)
        self.route("POST", api + "/tag/{revision}", self.tag)
        self.route("DELETE", api + "/tag/{tag}", self.untag)
        self.route("POST", api + "/preupload/{revision}", self.preupload)
        self.route("POST", "/datasets/{org}/{name}.git/info/lfs/objects/batch", self.batch)
        self.route("PUT", "/lfs/{sha256}", self.take)
        self.route("POST", api + "/commit/{revision}", self.take_commit)

    def __enter__(self) -> HubThatIsWrittenTo:
        super().__enter__()
        # Otherwise every answer waits for the client to acknowledge its headers, 40 ms.
        handler = self._server.RequestHandlerClass
        self._server.RequestHandlerClass = type(handler.__name__, (handler,), {"disable_nagle_algorithm": True})
        return self

    # Repositories.

    def make(self, query: Query) -> Answer:
        """A new repository with one commit."""
        self._check_token(query)
        wanted = json.loads(query.body)
        assert wanted["type"] == "dataset"
        repo_id = f"{wanted['organization']}/{wanted['name']}"
        url = f"{self.endpoint}/datasets/{repo_id}"
        if repo_id in self.repositories:
            return Answer.of({"error": "You already created this dataset repo", "url": url}, 409)
        self.create(repo_id).commit({".gitattributes": ATTRIBUTES}, "initial commit")
        self.settings[repo_id] = {"private": wanted.get("visibility") == "private"}
        return Answer.of({"url": url})

    def info(self, query: Query, org: str, name: str, revision: str = "main") -> Answer:
        """As it is read, with the settings."""
        answer = super().info(query, org, name, revision)
        return Answer.of(json.loads(answer.body) | self.settings.get(f"{org}/{name}", {}))

    def change_settings(self, query: Query, org: str, name: str) -> Answer:
        """Gating and such."""
        repository = self._written(query, org, name)
        self.settings.setdefault(repository.id, {}).update(json.loads(query.body))
        return Answer.of({})

    def validate(self, query: Query) -> Answer:
        """The YAML of a card; only whether it is there."""
        content = json.loads(query.body)["content"]
        errors = [] if content.startswith("---\n") else [{"message": "no YAML"}]
        return Answer.of({"errors": errors, "warnings": []}, 400 if errors else 200)

    # Branches and tags.

    def list_refs(self, query: Query, org: str, name: str) -> Answer:
        """Branches and tags."""
        refs = self.repository(query, org, name).refs
        return Answer.of(
            {
                "branches": [_ref("heads", ref, at) for ref, at in refs.items() if ref in self._branches],
                "tags": [_ref("tags", ref, at) for ref, at in refs.items() if ref not in self._branches],
                "converts": [],
            }
        )

    def branch(self, query: Query, org: str, name: str, branch: str) -> Answer:
        """A branch that starts where the main one is."""
        repository = self._written(query, org, name)
        if branch in repository.refs:
            raise RefusedError(409, "Conflict", "Reference already exists")
        self._branches.add(branch)
        repository.refs[branch] = repository.refs["main"]
        return Answer.of({})

    def tag(self, query: Query, org: str, name: str, revision: str) -> Answer:
        """A name for a commit."""
        repository = self._written(query, org, name)
        tag = json.loads(query.body)["tag"]
        if tag in repository.refs:
            raise RefusedError(409, "Conflict", "Tag reference exists already")
        repository.refs[tag] = self.commit_of(repository, revision).id
        return Answer.of({})

    def untag(self, query: Query, org: str, name: str, tag: str) -> Answer:
        """Takes a name away."""
        del self._written(query, org, name).refs[tag]
        return Answer.of({})

    # Files.

    def preupload(self, query: Query, org: str, name: str, revision: str) -> Answer:
        """How each file is to be sent, and what is in its place."""
        repository = self._written(query, org, name)
        files = self.commit_of(repository, revision).files
        answer = []
        for file in json.loads(query.body)["files"]:
            mode = "lfs" if Blob(base64.b64decode(file["sample"])).is_lfs else "regular"
            there = Blob(files[file["path"]]) if file["path"] in files else None
            oid = there and (there.sha256 if mode == "lfs" else there.oid)
            answer.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return Answer.of({"files": answer})

    def batch(self, query: Query, org: str, name: str) -> Answer:
        """Where to put which large files."""
        self._written(query, org, name)
        wanted = json.loads(query.body)
        assert wanted["operation"] == "upload"
        listed = [
            each | ({} if each["oid"] in self.objects else {"actions": {"upload": {"href": self._place(each["oid"])}}})
            for each in wanted["objects"]
        ]
        return Answer.of({"transfer": "basic", "objects": listed})

    def take(self, query: Query, sha256: str) -> Answer:
        """A large file."""
        if query.token is not None:
            raise RefusedError(400, "TokenSentElsewhere", "a token was sent to another host")
        if hashlib.sha256(query.body).hexdigest() != sha256:
            raise RefusedError(400, "BadRequest", "checksum does not match")
        with self._one_at_a_time:
            if self.accepts is not None and len(self.put) >= self.accepts:
                raise RefusedError(403, "QuotaExceeded", "Private repository storage limit reached")
            self.put.append(sha256)
            self.objects[sha256] = query.body
        return Answer()

    def take_commit(self, query: Query, org: str, name: str, revision: str) -> Answer:
        """A commit: a header, then a line for each file."""
        repository = self._written(query, org, name)
        header, *lines = [json.loads(line) for line in query.body.splitlines()]
        head = self.commit_of(repository, revision)
        if header["value"].get("parentCommit", head.id) != head.id:
            raise RefusedError(412, "PreconditionFailed", "A commit has happened since. Please refresh and try again.")
        changes = dict(self._change(line["key"], line["value"], head) for line in lines)
        for path, data in changes.items():
            if data is not None and path in self.corrupts:
                changes[path] = data[:-1] + bytes([data[-1] ^ 1])
        kept = {path: data for path, data in changes.items() if path not in self.loses}
        commit = repository.commit(kept, header["value"]["summary"], revision)
        self.commits.append(commit)
        self.operations.append(len(changes))
        url = f"{self.endpoint}/datasets/{repository.id}/commit/{commit.id}"
        return Answer.of({"success": True, "commitOid": commit.id, "commitUrl": url, "hookOutput": ""})

    def _change(self, key: str, value: dict[str, Any], head: Commit) -> tuple[str, bytes | None]:
        path = value["path"]
        if key == "deletedFile":
            if path not in head.files:
                raise RefusedError(404, "EntryNotFound", f"{path}: A file with this name doesn't exist")
            return path, None
        if key == "file":
            return path, base64.b64decode(value["content"])
        assert key == "lfsFile"
        if value["oid"] not in self.objects:
            raise RefusedError(400, "BadRequest", f"{path}: the object {value['oid']} is missing")
        return path, self.objects[value["oid"]]

    def _place(self, sha256: str) -> str:
        # Elsewhere, as far as a client can tell; it takes the endpoint's own name for the Hub's.
        return f"{self.endpoint.replace('127.0.0.1', 'localhost')}/lfs/{sha256}"

    def _written(self, query: Query, org: str, name: str) -> Repository:
        self._check_token(query)
        return self.repository(query, org, name)

    def _check_token(self, query: Query) -> None:
        if query.token is None:
            raise RefusedError(401, "Unauthorized", "Invalid username or password.")
        if query.token != "writer":
            raise RefusedError(403, "Forbidden", "You don't have the rights to create a dataset under this namespace")


def _ref(kind: str, name: str, commit: str) -> dict[str, str]:
    return {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit}
