import pytest
from leaderboard_site import document, scored, write_results

from benchmarks.leaderboard import boards, read_entries, write_site


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """Four results of one board, the first without a map and firing on the control, and others of other terms."""
    cards = [scored(3, 1, localises=False, fires=4), scored(2, 2), scored(1, 3), scored(2.5, 4)]
    names = ["Scores only", "Second", "Weak", "Third"]
    found = [document(name, card) for name, card in zip(names, cards, strict=True)]
    found[3]["submission"]["metadata"] |= {
        "paper": "https://example.org/paper?a=1&b=2",
        "code": "javascript:alert(1)",
        "external_data": "another set",
        "trained_on": ["dm", "pix2pix"],
    }
    slab = document("Second", cards[1], protocol="slab")
    older = document("Second", cards[1], scorer="0.0.9")
    return write_results(tmp_path_factory.mktemp("leaderboard") / "results", *found, slab, older)


@pytest.fixture(scope="session")
def found(results):
    return boards(read_entries([results]))


@pytest.fixture(scope="session")
def site(found, tmp_path_factory):
    out = tmp_path_factory.mktemp("leaderboard-site") / "site"
    write_site(found, out, "org/m3dsynth")
    return out
