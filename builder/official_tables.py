"""The published tables of M3Dsynth: which sites, in which series, edited by whom, and who sees them.

Four CSV files of the published repository, read at run time from the user's own copy. What cannot be used is a
finding that names the table and the line; the rest is read on.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.errors import BuilderError
from builder.finding import Finding
from builder.official_lines import Line, LineError, TableReader, number, one_of, text_of, whole_number
from m3dsynth_dataset.schema import Split, config_name
from m3dsynth_dataset.types import Triple

DATA, SERIES, SETS, CENTRES = "data.csv", "LIDC.csv", "sets.csv", "centers.csv"
COLUMNS = {
    DATA: ("img_id", "ty", "mod", "orig_id", "sdir_id", "coord_z", "coord_y", "coord_x"),
    SERIES: ("orig_id", "sdir_id", "spacing_z", "spacing_y", "spacing_x"),
    SETS: ("orig_id", "set"),
    CENTRES: ("img_id", "mod", "center_test_z", "center_test_y", "center_test_x"),
}
"""The columns that are read, of those that the tables have."""

PRISTINE_MOD = "real"
PRISTINE = "none"
GENERATORS = {PRISTINE_MOD: PRISTINE, "pix2pix": "pix2pix", "cycle": "cyclegan", "diffusion": "dm"}
"""What a ``mod`` is called here."""
MODS = {generator: mod for mod, generator in GENERATORS.items()}
MANIPULATIONS = {"inj": "injection", "rem": "removal"}
SPLITS = {"train": Split.TRAIN, "valid": Split.VALIDATION, "test": Split.TEST}


@dataclass(frozen=True, order=True)
class SeriesKey:
    """How the tables name a series."""

    patient_id: str
    number: int
    """SeriesNumber of its DICOM files."""

    def __str__(self) -> str:
        return f"{self.patient_id}, series {self.number}"


@dataclass(frozen=True)
class OfficialSite:
    """A place in a scan and what was done there; the same for all generators."""

    site_id: str
    """Such as ``inj_12``."""
    manipulation: str
    """Injection or removal."""
    series: SeriesKey
    centre_zyx: Triple
    """Voxels of the descending stack: slice 0 is the most cranial."""


@dataclass(frozen=True)
class OfficialRow:
    """A row of data.csv: a site as one generator left it, or untouched."""

    site: OfficialSite
    generator: str
    """As this project calls it; ``none`` for the untouched scan at the site."""

    @property
    def sample_id(self) -> str:
        """As a release calls it, such as ``dm/inj_12``."""
        return f"{self.generator}/{self.site.site_id}"

    @property
    def config(self) -> str:
        """The config of a release that it belongs to."""
        return config_name(self.generator, self.site.manipulation)


@dataclass(frozen=True)
class OfficialCentre:
    """Where the published test slab of a sample is centred."""

    site_id: str
    generator: str
    centre_zyx: tuple[float, float, float]
    """Voxels of the descending stack."""


@dataclass(frozen=True)
class OfficialTables:
    """What the four tables say, of the lines that could be used."""

    rows: tuple[OfficialRow, ...]
    series: dict[SeriesKey, tuple[float, float, float]]
    """Every published series with its spacing along z, y, x in mm; z is the slice thickness, as published."""
    splits: dict[str, Split]
    """By patient."""
    centres: tuple[OfficialCentre, ...]
    findings: tuple[Finding, ...]

    @property
    def sites(self) -> tuple[OfficialSite, ...]:
        """Every site once, in the order of the table."""
        return tuple(dict.fromkeys(row.site for row in self.rows))

    @property
    def tampered(self) -> tuple[OfficialRow, ...]:
        """The rows that a generator made."""
        return tuple(row for row in self.rows if row.generator != PRISTINE)

    def split_of(self, row: OfficialRow) -> Split:
        """Who sees a row."""
        return self.splits[row.site.series.patient_id]


def tables_folder(folder: Path) -> Path:
    """Where the tables lie below a clone of the published repository: in ``data``, or in the folder itself.

    Raises:
        BuilderError: If a table is missing.
    """
    places = (folder, folder / "data")
    missing = [[name for name in COLUMNS if not (place / name).is_file()] for place in places]
    best = min(zip(map(len, missing), places, missing, strict=True), key=lambda each: each[0])
    if best[2]:
        raise BuilderError(
            f"{folder}: no {', '.join(best[2])} there or in its folder data; name a clone of the published repository, "
            "whose folder data holds the tables"
        )
    return best[1]


def read_tables(folder: Path) -> OfficialTables:
    """Read the published tables.

    Args:
        folder: A clone of the published repository, or the folder that holds the four tables.

    Raises:
        BuilderError: If a table is missing, is not a CSV file, or lacks a column.
    """
    reader = TableReader(tables_folder(folder), COLUMNS)
    splits = {patient: split for patient, (_, split) in reader.unique(SETS, _parse_set).items()}
    series = dict(_usable_series(reader, splits))
    rows = tuple(_usable_rows(reader, series, splits))
    centres = tuple(_usable_centres(reader, {(row.site.site_id, row.generator) for row in rows}))
    return OfficialTables(rows, series, splits, centres, tuple(reader.findings))


def _usable_series(
    reader: TableReader, splits: Mapping[str, Split]
) -> Iterator[tuple[SeriesKey, tuple[float, float, float]]]:
    for key, (place, spacing) in reader.unique(SERIES, _parse_series).items():
        if key.patient_id in splits:
            yield key, spacing
        else:
            reader.report(place, f"orphan: patient {key.patient_id} is not in {SETS}")


def _usable_centres(reader: TableReader, known: Collection[tuple[str, str]]) -> Iterator[OfficialCentre]:
    for (site_id, generator), (place, centre) in reader.unique(CENTRES, _parse_centre).items():
        if (site_id, generator) in known:
            yield OfficialCentre(site_id, generator, centre)
        else:
            reader.report(place, f"orphan: {site_id} of {MODS[generator]} is not in {DATA}")


def _usable_rows(
    reader: TableReader, series: Mapping[SeriesKey, object], splits: Mapping[str, Split]
) -> Iterator[OfficialRow]:
    """The rows that agree with the other tables and with the other rows of their site."""
    published = list(reader.unique(DATA, _parse_row).values())
    # Where a site is, its untouched row tells; its first row, where it has none.
    by_weight = sorted(published, key=lambda each: each[1].generator == PRISTINE, reverse=True)
    sites = {row.site.site_id: row.site for _, row in by_weight[::-1]}
    for place, row in published:
        site = row.site
        if site.series.patient_id not in splits:
            reader.report(place, f"orphan: patient {site.series.patient_id} is not in {SETS}")
        elif site.series not in series:
            reader.report(place, f"orphan: {site.series} is not in {SERIES}")
        elif site != sites[site.site_id]:
            there = _where(sites[site.site_id])
            reader.report(place, f"another place than in another mod: {site.site_id}, {_where(site)}, not {there}")
        else:
            yield row


def _parse_row(line: Line) -> tuple[tuple[str, str], OfficialRow]:
    manipulation = one_of(MANIPULATIONS, line, "ty")
    generator = one_of(GENERATORS, line, "mod")
    site_id = line["img_id"]
    if not site_id.startswith(f"{line['ty']}_") or not site_id[4:].isdecimal():
        raise LineError(f"img_id must be {line['ty']}_ and a number for ty {line['ty']}, got {site_id!r}")
    z, y, x = (whole_number(line, name) for name in COLUMNS[DATA][-3:])
    if min(z, y, x) < 0:
        raise LineError(f"site outside the scan: coord_z, coord_y, coord_x must be >= 0, got {(z, y, x)}")
    row = OfficialRow(OfficialSite(site_id, manipulation, _series_key(line), (z, y, x)), generator)
    return (site_id, generator), row


def _parse_series(line: Line) -> tuple[SeriesKey, tuple[float, float, float]]:
    z, y, x = (number(line, name) for name in COLUMNS[SERIES][-3:])
    return _series_key(line), (z, y, x)


def _parse_set(line: Line) -> tuple[str, Split]:
    return text_of(line, "orig_id"), one_of(SPLITS, line, "set")


def _parse_centre(line: Line) -> tuple[tuple[str, str], tuple[float, float, float]]:
    z, y, x = (number(line, name) for name in COLUMNS[CENTRES][-3:])
    return (text_of(line, "img_id"), one_of(GENERATORS, line, "mod")), (z, y, x)


def _series_key(line: Line) -> SeriesKey:
    return SeriesKey(text_of(line, "orig_id"), whole_number(line, "sdir_id"))


def _where(site: OfficialSite) -> str:
    return f"{site.manipulation} at {site.centre_zyx} of {site.series}"
