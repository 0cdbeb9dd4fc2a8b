import pytest
import sealable_release

from m3dsynth_dataset import open_release


@pytest.fixture(scope="session")
def judged_release(tmp_path_factory):
    """Two patients to calibrate on, ten to test on, two generators and the control; tests only read it."""
    return open_release(sealable_release.write(tmp_path_factory.mktemp("judged")))
