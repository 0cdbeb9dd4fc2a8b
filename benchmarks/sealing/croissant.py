"""``croissant.json`` of a public release: that of the release that was sealed, of the public rows."""

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from m3dsynth_dataset.configs import config_members
from m3dsynth_dataset.manifest import FileRecord
from m3dsynth_dataset.schema import PRISTINE, SEALED, Split

Node = dict[str, Any]


def sealed_croissant(
    text: str,
    counts: Mapping[tuple[str, str], int],
    files: Mapping[str, FileRecord],
    inpainters: Iterable[str],
    digests: tuple[str, str],
) -> str:
    """The text for the public release.

    Args:
        text: Of the release that is sealed.
        counts: What the public one holds.
        files: Size and checksum of its other files.
        inpainters: Those of its open rows.
        digests: Of the release that is sealed, and of the public one.
    """
    document = json.loads(text)
    nodes = {node["@id"]: node for node in (*document["distribution"], *document["recordSet"])}
    members = config_members({config for config, _ in counts})
    rows = sorted(name for name in files if name.startswith("data/"))
    file_object = next(node for node in nodes.values() if node["@type"] == "cr:FileObject")
    document["distribution"] = [
        *(_file_object(file_object, name, files[name]) for name in rows),
        *(_file_set(nodes, name, parts) for name, parts in members.items()),
        nodes["volumes"],
    ]
    document["recordSet"] = [_splits(nodes["splits"], counts), *(_of_config(nodes, name) for name in members)]
    document["version"] = document["version"].replace(*(digest[:16] for digest in digests))
    document["description"] += f" The labels of the config {SEALED} are not in the release."
    document["prov:wasGeneratedBy"]["prov:label"] = f"m3dsynth: {', '.join(sorted(inpainters))}"
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _file_object(like: Node, name: str, record: FileRecord) -> Node:
    about = {"@id": name, "name": name, "contentUrl": name, "contentSize": f"{record.size} B", "sha256": record.sha256}
    return like | about


def _file_set(nodes: Mapping[str, Node], config: str, parts: list[str]) -> Node:
    node = nodes.get(f"rows-of-{config}") or _renamed(nodes[f"rows-of-{PRISTINE}"], config)
    return node | {"includes": [f"data/{part}/*.parquet" for part in parts]}


def _of_config(nodes: Mapping[str, Node], config: str) -> Node:
    return nodes.get(config) or _renamed(nodes[PRISTINE], config)


def _splits(node: Node, counts: Mapping[tuple[str, str], int]) -> Node:
    present = [str(split) for split in Split if any(each == split for _, each in counts)]
    return node | {"data": [{"splits/name": name} for name in present]}


def _renamed(node: Node, config: str) -> Node:
    """A node of the config pristine as that of another: ids, its name, and what it is in a sentence."""
    found: Node = copy.deepcopy(node)
    found["description"] = found["description"].replace(f"the config {PRISTINE}", f"the config {config}")
    found["name"] = found["name"].replace(PRISTINE, config)
    _rename_ids(found, config)
    return found


def _rename_ids(node: Any, config: str) -> None:  # noqa: ANN401 (parsed JSON)
    if isinstance(node, list):
        for each in node:
            _rename_ids(each, config)
    elif isinstance(node, dict):
        if "@id" in node:
            first, slash, rest = node["@id"].partition("/")
            node["@id"] = (
                {PRISTINE: config, f"rows-of-{PRISTINE}": f"rows-of-{config}"}.get(first, first) + slash + rest
            )
        for each in node.values():
            _rename_ids(each, config)
