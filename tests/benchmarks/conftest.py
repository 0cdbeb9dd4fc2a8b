import shutil

import pyarrow as pa
import pytest

from m3dsynth_dataset import open_release
from m3dsynth_dataset.manifest import Manifest, digest_of, record_file
from m3dsynth_dataset.row_file import write_rows
from m3dsynth_dataset.schema import FORMAT_VERSION, data_file


@pytest.fixture(scope="session")
def learnable_release(release_path, tmp_path_factory):
    """The tiny release with rows in every split, which its own two scans are too few for: patients are not apart."""
    folder = shutil.copytree(release_path, tmp_path_factory.mktemp("learnable") / "m3dsynth")
    base = open_release(release_path)
    for config, splits in base.splits.items():
        rows = pa.concat_tables(base.rows(config, split) for split in splits)
        for split in ("train", "validation", "test"):
            write_rows(folder / data_file(config, split), rows)
    files = {
        path.relative_to(folder).as_posix(): record_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    Manifest(FORMAT_VERSION, digest_of(files), files, {}).write(folder)
    return folder
