"""The card of a public release: that of the release that was sealed, with what is different told anew."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import yaml

from benchmarks.errors import BenchmarkError
from m3dsynth_dataset.configs import config_members, in_order, is_control
from m3dsynth_dataset.manifest import CARD
from m3dsynth_dataset.schema import ALL, PRISTINE, SEALED, Split, data_file

Counts = Mapping[tuple[str, str], int]
"""Rows of every config and split."""

SECTION = """## The sealed test

The rows of `{sealed}`, which are all of the split `test`, are to be judged and do not tell what they are: `label`,
`manipulation`, `generator` and all that says where an edit is are null. Of each patient there is one version of one
scan, pristine, tampered or control, whole. Names, order and files say nothing; `origin_mm` is not the scan's own.

```python
for row in load_dataset("m3dsynth", "{sealed}", split="test"):
    scan = release.sample(row).ct[...]     # int16 HU
```

The labels are kept by whoever organises the challenge, and only there a submission can be scored. Their file has the
sha256 `{labels_sha256}`, so it cannot be changed
any more. Train and validation are open.

"""
_HEAD = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)
_TABLE = re.compile(r"(?<=\| ---: \|\n)(\|.*\n)+")
_SCANS = re.compile(r"Scans: \d+, of \d+ patients\.")
_LOADED = re.compile(r'(?<=load_dataset\("m3dsynth", ")[^"]+')
_ROW = re.compile(r'(?<=rows\[")\w+')
_INPAINTER = re.compile(r"^- `([^`]+)`: .*\n", re.MULTILINE)
_PICTURE = re.compile(r"^!\[[^\]]*\]\([^)]*\.png\)\n\n", re.MULTILINE)
"""Of the whole release: it shows where the edits of the test lie."""
_NEXT = re.compile(r"^## How it was made$", re.MULTILINE)


def sealed_card(
    text: str, counts: Counts, built: Mapping[str, Any], hidden: Collection[str], digests: tuple[str, str]
) -> str:
    """The text for the public release.

    Args:
        text: Of the release that is sealed.
        counts: What the public one holds.
        built: Its manifest's account.
        hidden: Inpainters that only the test has seen, which it does not name.
        digests: Of the release that is sealed, and of the public one.

    Raises:
        BenchmarkError: If the text is not that of a release's card.
    """
    head = _HEAD.match(text)
    if head is None or _TABLE.search(text) is None or _NEXT.search(text) is None:
        raise BenchmarkError(f"{CARD} of the release is not the card that it was built with; build it again")
    entries = yaml.safe_load(head[1])
    before, digest = (each[:16] for each in digests)
    entries["configs"] = _configs(counts, digest)
    body = text[head.end() :].replace(before, digest)
    config, split = _example(counts)
    body = _ROW.sub(split, _LOADED.sub(config, body))
    body = _PICTURE.sub("", _TABLE.sub(_table(counts), body, count=1))
    body = _SCANS.sub(f"Scans: {built['scans']}, of {built['patients']} patients.", body)
    body = _INPAINTER.sub(lambda line: "" if line[1] in hidden else line[0], body)
    section = SECTION.format(sealed=SEALED, labels_sha256=built["sealed"]["labels_sha256"])
    body = _NEXT.sub(lambda title: section + title[0], body, count=1)
    front_matter = yaml.safe_dump(entries, sort_keys=False, width=120).strip()
    return f"---\n{front_matter}\n---\n{body}"


def _configs(counts: Counts, digest: str) -> list[dict[str, Any]]:
    entries = []
    for name, parts in config_members({config for config, _ in counts}).items():
        files = [
            {"split": str(split), "path": [data_file(part, split) for part in parts if (part, split) in counts]}
            for split in Split
            if any((part, split) in counts for part in parts)
        ]
        entry: dict[str, Any] = {"config_name": name, "description": f"release {digest}", "data_files": files}
        entries.append(entry | ({"default": True} if name == ALL else {}))
    return entries


def _example(counts: Counts) -> tuple[str, str]:
    """A config and split to show: of an inpainter's edits, if any are open."""
    configs = {config for config, _ in counts}
    config = min(configs, key=lambda name: (name == SEALED, name == PRISTINE, is_control(name), name))
    return config, next(str(split) for split in Split if (config, split) in counts)


def _table(counts: Counts) -> str:
    lines = []
    for config in in_order({config for config, _ in counts}):
        of_splits = [counts.get((config, split), 0) for split in Split]
        cells = " | ".join(f"{count:,}" for count in (*of_splits, sum(of_splits)))
        lines.append(f"| `{config}` | {cells} |\n")
    return "".join(lines)
