"""Coverage-guided fuzzing of all that reads a stranger's bytes in this process; by hand, where atheris installs.

    pip install atheris
    python tests/fuzz_submissions.py -max_total_time=600

A crash is written to a file, which `python tests/fuzz_submissions.py FILE` shows again. What another process unpacks is
left to tests/m3dsynth_dataset/submission/test_strangers.py.
"""

import io
import json
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import atheris  # noqa: E402 (the checkout comes first)

with atheris.instrument_imports(include=["m3dsynth_dataset.submission"]):
    import handed_in

    from m3dsynth_dataset.errors import SubmissionError
    from m3dsynth_dataset.submission import as_table
    from m3dsynth_dataset.submission.archive import Archive
    from m3dsynth_dataset.submission.metadata import metadata_problems, parse_metadata
    from m3dsynth_dataset.submission.parquet.footer import read_footer
    from m3dsynth_dataset.submission.parquet.pages import check_pages
    from m3dsynth_dataset.submission.parquet.thrift import Reader
    from m3dsynth_dataset.submission.row import Row


def table(data: bytes) -> None:
    file = io.BytesIO(data)
    check_pages(file, read_footer(file))


def metadata(data: bytes) -> None:
    list(map(str, metadata_problems(parse_metadata(data))))


def archive(data: bytes) -> None:
    Archive.of(Path("s.zip"), io.BytesIO(data))


def thrift(data: bytes) -> None:
    Reader(data, 1000).struct()


def heatmap(data: bytes) -> None:
    row = Row(0, "a", 0.5, [0, 0, 0], [4, 5, 6], data)
    if not any(row.problems()):
        with suppress(OSError):  # what the scorer catches there
            row.prediction()


TARGETS = (table, metadata, archive, thrift, heatmap)


def one(data: bytes) -> None:
    """The first byte says who reads the rest."""
    if data:
        with suppress(SubmissionError):
            TARGETS[data[0] % len(TARGETS)](data[1:])


def corpus(folder: Path) -> None:
    small = as_table(handed_in.predictions(3))
    plain = {"write_statistics": False, "store_schema": False}
    sound = {
        0: [handed_in.table_bytes(small, compression=codec, **plain) for codec in ("none", "zstd")],
        1: [json.dumps(handed_in.metadata(url="https://a.org", trained_on=["x"])).encode()],
        2: [handed_in.zipped(folder / "zip", [("metadata.json", b"{}"), ("predictions.parquet", b"x")]).read_bytes()],
        4: [handed_in.rows()[1]["heatmap"]],
    }  # fmt: skip
    for target, files in sound.items():
        for number, data in enumerate(files):
            (folder / f"{target}-{number}").write_bytes(bytes([target]) + data)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        corpus(Path(folder))
        atheris.Setup([*sys.argv, folder] if not any(map(Path.is_file, map(Path, sys.argv[1:]))) else sys.argv, one)
        atheris.Fuzz()
