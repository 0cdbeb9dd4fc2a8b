"""Releases: folders that hold scans once and every tampered version of them as an edit."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from m3dsynth_dataset.crops import Crops, Positions, crops
from m3dsynth_dataset.errors import DamagedReleaseError, UnknownSampleError
from m3dsynth_dataset.manifest import Manifest
from m3dsynth_dataset.sample import Sample
from m3dsynth_dataset.schema import ALL, CONTROL, Split, data_file
from m3dsynth_dataset.types import Triple


class Release:
    """A release on this machine.

    Args:
        path: Folder of the release.

    Raises:
        ReleaseNotFoundError: If the folder is not a release.
        FormatVersionError: If this version cannot read it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = Manifest.read(path)

    @cached_property
    def splits(self) -> dict[str, tuple[str, ...]]:
        """The splits that have rows, by config."""
        found: dict[str, tuple[str, ...]] = {}
        for config in sorted(folder.name for folder in (self.path / "data").iterdir()):
            found[config] = tuple(split for split in Split if (self.path / data_file(config, split)).is_file())
        return found

    @property
    def configs(self) -> tuple[str, ...]:
        """The configs that have rows of their own."""
        return tuple(self.splits)

    def rows(self, config: str, split: str, columns: list[str] | None = None) -> pa.Table:
        """The rows of a config and split.

        Args:
            config: Such as ``dm-injection``; ``all`` for pristine and every generator's, without the control's.
            split: train, validation or test.
            columns: Which to read; all when omitted.

        Raises:
            ValueError: If the release has no such rows.
        """
        if config == ALL:
            parts = [name for name, splits in self.splits.items() if split in splits and not name.startswith(CONTROL)]
            if parts:
                return pa.concat_tables(self.rows(name, split, columns) for name in parts)
        if split not in self.splits.get(config, ()):
            known = ", ".join(f"{name} ({'/'.join(splits)})" for name, splits in self.splits.items())
            raise ValueError(f"{self.path} has no rows of {config!r}, {split!r}; it has {known}")
        return pq.read_table(self.path / data_file(config, split), columns=columns, memory_map=True)

    def sample(self, sample: str | Mapping[str, Any]) -> Sample:
        """A sample, by its id or by a row of this release that was read elsewhere, such as with ``datasets``.

        Raises:
            UnknownSampleError: If there is no sample of that id.
        """
        sample_id = sample if isinstance(sample, str) else str(sample["sample_id"])
        if sample_id not in self._places:
            hint = get_close_matches(sample_id, self._places, n=1)
            raise UnknownSampleError(
                f"{self.path} has no sample {sample_id!r}" + (f"; did you mean {hint[0]!r}?" if hint else "")
            )
        return Sample(self.path, self._row(*self._places[sample_id]), self.manifest.files)

    def crops(
        self,
        config: str,
        split: str,
        *,
        shape: Triple,
        seed: int,
        positions: Positions = "edit",
        balanced: bool = True,
    ) -> Crops:
        """Crops for training, one for each sample or, balanced, two.

        Args:
            config: Such as ``dm-injection``.
            split: train, validation or test.
            shape: Voxels of a crop along z, y, x; ``(1, 512, 512)`` for slices. What lies beyond the scan is air.
            seed: Of the places, >= 0.
            positions: ``edit`` for crops that hold the edit at a random place in them, ``away`` for crops that hold
                nothing of it, ``anywhere`` for any place in the scan.
            balanced: Whether to show every place twice, tampered and as it was before.

        Raises:
            ValueError: If the release has no such rows, or the crops cannot be as wanted.
        """
        return crops(self, config, split, shape=shape, seed=seed, positions=positions, balanced=balanced)

    def _row(self, config: str, split: str, index: int) -> dict[str, Any]:
        """One row, of which only its row group is read."""
        file = pq.ParquetFile(self.path / data_file(config, split), memory_map=True)
        group, offset = divmod(index, file.metadata.row_group(0).num_rows)
        row: dict[str, Any] = file.read_row_group(group).slice(offset, 1).to_pylist()[0]
        return row

    @cached_property
    def _places(self) -> dict[str, tuple[str, str, int]]:
        """Config, split and row number of every sample."""
        places: dict[str, tuple[str, str, int]] = {}
        for config, splits in self.splits.items():
            for split in splits:
                ids = self.rows(config, split, ["sample_id"])["sample_id"].to_pylist()
                places |= {sample_id: (config, split, index) for index, sample_id in enumerate(ids)}
        return places

    def __repr__(self) -> str:
        return f"Release({str(self.path)!r}, {len(self.configs)} configs, digest {self.manifest.digest[:12]})"


def open_release(path: str | Path) -> Release:
    """Open a release.

    Args:
        path: Folder of the release.

    Raises:
        ReleaseNotFoundError: If the folder is not a release.
        FormatVersionError: If this version cannot read it.
        DamagedReleaseError: If its rows are missing.
    """
    release = Release(Path(path).expanduser())
    if not (release.path / "data").is_dir():
        raise DamagedReleaseError(f"{release.path}: the folder 'data' with the release's rows is missing")
    return release
