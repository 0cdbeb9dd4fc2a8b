import auditable_release
import pytest


@pytest.fixture(scope="session")
def clean(tmp_path_factory):
    """A release that does not leak; tests only read it."""
    return auditable_release.write(tmp_path_factory.mktemp("auditable"))
