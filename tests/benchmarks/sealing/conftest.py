import pytest
import sealable_release

from m3dsynth_dataset import open_release


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """A release whose test nobody has seen; tests only read it."""
    return open_release(sealable_release.write(tmp_path_factory.mktemp("sealable")))


@pytest.fixture(scope="session")
def sealing(source, tmp_path_factory):
    """What sealing it gave; tests only read it."""
    return sealable_release.Sealing.of(source, tmp_path_factory.mktemp("sealed"))
