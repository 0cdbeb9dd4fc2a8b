import pytest
import yaml

from benchmarks.errors import BenchmarkError
from benchmarks.sealing.card import sealed_card
from builder.card import render_card

BEFORE, AFTER = "a" * 64, "b" * 64
COUNTS = {("pristine", "train"): 3, ("zebra-removal", "train"): 2, ("secret-injection", "test"): 4}
OPEN = {("pristine", "train"): 3, ("zebra-removal", "train"): 2, ("sealed", "test"): 1}
BUILT = {"source": "LIDC-IDRI", "scans": 7, "patients": 6, "trained_on": ["LIDC-IDRI"], "inpainters": {
    "secret-injection": {"class": "a.b:Secret"}, "zebra-removal": {"class": "a.b:Zebra"}}}  # fmt: skip


def card(counts=OPEN, text=None):
    built = BUILT | {"scans": 4, "patients": 4, "sealed": {"labels_sha256": "c" * 64}}
    text = render_card(COUNTS, BUILT, BEFORE) if text is None else text
    return sealed_card(text, counts, built, {"secret-injection"}, (BEFORE, AFTER))


def test_what_only_the_test_has_seen_is_not_named():
    text = card()
    assert "ecret" not in text.replace("c" * 64, "")
    assert 'load_dataset("m3dsynth", "zebra-removal")' in text
    assert "- `zebra-removal`: `a.b:Zebra`" in text


def test_a_release_of_a_test_alone_shows_that():
    text = card({("sealed", "test"): 1})
    assert text.count('load_dataset("m3dsynth", "sealed"') == 2
    assert 'rows["test"][0]' in text


def test_the_digest_is_the_new_one_wherever_it_stands():
    text = card()
    assert BEFORE[:16] not in text
    configs = yaml.safe_load(text.split("---\n")[1])["configs"]
    assert {entry["description"] for entry in configs} == {f"release {AFTER[:16]}"}
    assert f"digest `{AFTER[:16]}`" in text


def test_what_is_not_told_anew_stays_as_it_was():
    before, after = render_card(COUNTS, BUILT, BEFORE), card()
    for text in ("extra_gated_prompt", "Sites follow the published data set's rule", "## Licence and attribution"):
        assert text in before
        assert text in after
    front, open_front = (yaml.safe_load(text.split("---\n")[1]) for text in (before, after))
    assert front | {"configs": 0} == open_front | {"configs": 0}


def test_something_else_than_a_card_is_refused():
    with pytest.raises(BenchmarkError, match="is not the card that it was built with"):
        card(text="# Mine\n")
