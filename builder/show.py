"""What a release holds, as ``datasets`` loads it."""

from pathlib import Path

from datasets import get_dataset_config_names, load_dataset

from m3dsynth_dataset.schema import Split

COLUMNS = ("config", *map(str, Split))


def counts_table(release: Path) -> str:
    """Rows of every config and split, counted by loading them.

    Args:
        release: Folder of the release.
    """
    lines = [COLUMNS]
    for config in get_dataset_config_names(str(release)):
        loaded = load_dataset(str(release), config)
        lines.append((config, *(f"{len(loaded[split]):,}" if split in loaded else "-" for split in COLUMNS[1:])))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )
