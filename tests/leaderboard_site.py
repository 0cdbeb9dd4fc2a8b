"""Results of simulated detectors, scored by the project itself, and a reader of the page that is made from them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np

from m3dsynth_dataset.metrics import Overlap
from m3dsynth_dataset.scoring import Judgement, scorecard
from m3dsynth_dataset.scoring.result import Subject, result

DIGEST = "5e" * 32
GENERATORS = ("cyclegan", "dm", "pix2pix")
PATIENTS = 12
VOID = {"meta", "br", "hr", "img", "input", "link", "rect"}


def scored(skill=2.0, seed=0, localises=True, fires=0.0, calibrated=True, control=True):
    """The scorecard of a detector that is the better the higher its skill."""
    judgements = _judgements(skill, seed, localises, fires, control)
    return scorecard(
        judgements,
        calibration=_judgements(skill, seed + 100, localises, fires, False) if calibrated else None,
        draws=20,
    )


def _judgements(skill, seed, localises, fires, control):
    rng = np.random.default_rng(seed)
    found = [_judgement("pristine", "none", "none", patient, rng.normal(-2, 0.5), 0) for patient in range(PATIENTS)]
    for generator in GENERATORS:
        for manipulation in ("injection", "removal"):
            for patient in range(PATIENTS):
                hits = int(rng.integers(20, 90)) if localises else 0
                found.append(_judgement("tampered", generator, manipulation, patient, rng.normal(skill - 2, 1), hits))
    if control:
        found += [
            _judgement("control", "identity", "injection", patient, rng.normal(fires - 2, 0.5), 0)
            for patient in range(PATIENTS)
        ]
    return found


def _judgement(label, generator, manipulation, patient, logit, hits):
    overlap = Overlap(hits, 10 if hits else 0, 100 - hits) if label == "tampered" else Overlap(0, 0, 0)
    name = f"{generator}/{manipulation}-{patient}"
    return Judgement(name, f"P{patient}", label, generator, manipulation, 1 / (1 + math.exp(-logit)), overlap)


def document(name="Detector", card=None, **changes):
    """A result as `m3dsynth score` writes it; changes by the keys of the document's top, or of its metadata."""
    metadata = {"format": "1.0", "detector": "unet", "name": name, **changes.pop("metadata", {})}
    digest = changes.pop("digest", DIGEST)
    subject = Subject(
        "m3dsynth", digest, True, "test", changes.pop("protocol", "volume"), changes.pop("labels", None),
        changes.pop("submission", sha256(name.encode()).hexdigest()), 100, metadata,
    )  # fmt: skip
    return json.loads(json.dumps(result(subject, card or scored()))) | changes


def write_results(folder, *documents):
    """One file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(documents):
        (folder / f"{number}.json").write_text(json.dumps(each))
    return folder


@dataclass
class Node:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    def all(self, tag=None, **wanted):
        """Elements within, in order; ``class_`` matches one class of several, and _ in names stands for -."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in wanted.items()}
        return [each for each in self._within() if tag in {None, each.tag} and _fits(each, wanted)]

    def one(self, tag=None, **wanted):
        """The only one."""
        (found,) = self.all(tag, **wanted)
        return found

    @property
    def text(self):
        """All text within."""
        return " ".join("".join(_texts(self)).split())

    @property
    def is_shown(self):
        """Whether it is not hidden itself."""
        return "hidden" not in self.attributes

    def _within(self):
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child._within()


def _fits(node, wanted):
    return all(
        value in node.attributes.get(name, "").split() if name == "class" else node.attributes.get(name) == value
        for name, value in wanted.items()
    )


def _texts(node):
    for child in node.children:
        if isinstance(child, Node):
            yield from _texts(child)
        else:
            yield child


class _Parser(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag, attrs):
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop().tag == tag, f"</{tag}> closes what is not open"

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parsed(text):
    """A page as a tree; an element that is not closed is an error."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1
    return parser.open[0]


def board_rows(section):
    """Of the table of a board: (name, rank, {column: text}), shown columns only, in the order of the rows."""
    return [
        (
            body.one(class_="name").text,
            body.one(class_="rank").text,
            {
                cell.attributes["data-key"]: cell.one(class_="figure").text if cell.all(class_="figure") else cell.text
                for cell in body.all("td")
                if cell.is_shown and "data-key" in cell.attributes
            },
        )
        for body in section.all("tbody")
    ]
