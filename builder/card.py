"""The data set card of a release: rendered from ``dataset_card.md`` with what the release really holds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from builder.gate import gate
from m3dsynth_dataset.configs import config_members, in_order, is_control
from m3dsynth_dataset.schema import ALL, FORMAT_VERSION, PRISTINE, Split, data_file

TEMPLATE = Path(__file__).parents[1] / "dataset_card.md"

Counts = dict[tuple[str, str], int]
"""Rows of every config and split."""


@dataclass(frozen=True)
class Licence:
    """Under which a release of a source may be used."""

    tag: str
    """As the Hub names it."""
    url: str
    """Of its text, or the release's file that has it."""
    text: str
    name: str = ""
    """What an ``other`` licence calls itself; the release's file LICENSE has it."""


LICENCES = {
    "LIDC-IDRI": Licence(
        "cc-by-3.0",
        "https://creativecommons.org/licenses/by/3.0/",
        "Creative Commons Attribution 3.0 Unported (CC BY 3.0): https://creativecommons.org/licenses/by/3.0/\n"
        "The volumes are those of LIDC-IDRI in another file format; the edits are made from them. See ATTRIBUTION.md.",
    ),
    "phantom": Licence(
        "cc0-1.0",
        "https://creativecommons.org/publicdomain/zero/1.0/",
        "CC0 1.0 Universal, public domain dedication: https://creativecommons.org/publicdomain/zero/1.0/\n"
        "The volumes are computed phantoms. No person was scanned.",
    ),
    "user": Licence(
        "other",
        "LICENSE",
        "The volumes come from scans of whoever built this release, under the terms of those scans.\n"
        "Ask the builder before you pass them on.",
    ),
    "M3Dsynth": Licence(
        "other",
        "LICENSE",
        "The edits (patches and masks) are those of M3Dsynth as published, under the licence of GRIP-UNINA:\n"
        "for informational and non-profit use only; its notices must stay with every copy, and its authors be cited.\n"
        "Its text: https://github.com/grip-unina/M3Dsynth/blob/main/LICENSE.md, and below if it was at hand.\n"
        "The pristine volumes are those of LIDC-IDRI in another file format, CC BY 3.0. See ATTRIBUTION.md.\n"
        "The licence of the software that imported them covers neither.",
        "grip-unina-non-profit",
    ),
}
ATTRIBUTION = {
    "LIDC-IDRI": "# Attribution\n\n"
    "The scans and the readers' annotations are those of LIDC-IDRI, CC BY 3.0:\n\n"
    "- Armato III, S. G., et al. Data From LIDC-IDRI. The Cancer Imaging Archive, 2015. "
    "doi:10.7937/K9/TCIA.2015.LO9QL9SX\n"
    "- Armato III, S. G., et al. The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative "
    "(IDRI): a completed reference database of lung nodules on CT scans. Medical Physics 38, 915-931, 2011.\n"
    "- Clark, K., et al. The Cancer Imaging Archive (TCIA): maintaining and operating a public information "
    "repository. Journal of Digital Imaging 26, 1045-1057, 2013.\n\n"
    "The data set that this release follows: Zingarini, G., Cozzolino, D., Corvi, R., Poggi, G., Verdoliva, L. "
    "M3Dsynth: a dataset of medical 3D images with AI-generated local manipulations. ICASSP 2024. arXiv:2309.07973.",
    "phantom": "# Attribution\n\nThe scans are procedural phantoms that m3dsynth computed. They show nobody.",
    "user": "# Attribution\n\nThe scans are those of whoever built this release.",
}
ATTRIBUTION["M3Dsynth"] = ATTRIBUTION["LIDC-IDRI"].replace(
    "The data set that this release follows:", "The edits are those of M3Dsynth as published, by GRIP-UNINA:"
)


def terms_of(built: dict[str, Any]) -> str:
    """The entry of :data:`LICENCES` and :data:`ATTRIBUTION` that a release falls under.

    Args:
        built: The manifest's account of how it came about.
    """
    return "M3Dsynth" if "imported" in built else str(built["source"])


def render_card(counts: Counts, built: dict[str, Any], digest: str) -> str:
    """The text of a release's README.md.

    Args:
        counts: What the release holds.
        built: The manifest's account of how it came about.
        digest: Of the release; in every config's entry, so that ``datasets`` never takes an older cache for it.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    return environment.get_template(TEMPLATE.name).render(
        front_matter=yaml.safe_dump(_front_matter(counts, built, digest), sort_keys=False, width=120).strip(),
        rows=_table(counts),
        built=built,
        digest=digest,
        format_version=FORMAT_VERSION,
        example=_example(counts),
    )


def _front_matter(counts: Counts, built: dict[str, Any], digest: str) -> dict[str, Any]:
    source = built["source"]
    return {
        "pretty_name": "M3Dsynth" + (" (phantom)" if source == "phantom" else ""),
        **_licence(LICENCES[terms_of(built)]),
        "task_categories": ["image-classification", "image-segmentation"],
        "tags": ["medical", "computed-tomography", "deepfake-detection", "image-forensics", "3d", "synthetic"],
        **gate(source),
        "configs": _configs(counts, digest),
    }


def _licence(licence: Licence) -> dict[str, str]:
    named = {"license_name": licence.name, "license_link": licence.url} if licence.name else {}
    return {"license": licence.tag, **named}


def _configs(counts: Counts, digest: str) -> list[dict[str, Any]]:
    entries = []
    for name, parts in config_members({config for config, _ in counts}).items():
        files = [
            {"split": str(split), "path": [data_file(part, split) for part in parts if (part, split) in counts]}
            for split in Split
            if any((part, split) in counts for part in parts)
        ]
        entry = {"config_name": name, "description": f"release {digest[:16]}", "data_files": files}
        entries.append(entry | ({"default": True} if name == ALL else {}))
    return entries


def _example(counts: Counts) -> dict[str, str]:
    """A config and split to show: of an inpainter's edits, if there are any."""
    config = min((config for config, _ in counts), key=lambda name: (name == PRISTINE, is_control(name), name))
    return {"config": config, "split": next(str(split) for split in Split if (config, split) in counts)}


def _table(counts: Counts) -> list[dict[str, Any]]:
    """One entry per config, with its rows by split and in total."""
    table = []
    for config in in_order({config for config, _ in counts}):
        by_split = {str(split): counts.get((config, split), 0) for split in Split}
        table.append({"config": config, **by_split, "total": sum(by_split.values())})
    return table
