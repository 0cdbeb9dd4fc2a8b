import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import Ratings


@pytest.mark.parametrize(
    ("rating", "kind"),
    [(5, True), (4, True), (3.99, None), (3, None), (2.01, None), (2, False), (1, False), (None, None)],
)
def test_four_or_more_is_malignant_two_or_less_benign_and_the_rest_neither(rating, kind):
    assert Ratings().is_malignant(rating) is kind


@pytest.mark.parametrize(("malignant", "benign"), [(2, 2), (2, 3), (6, 2), (4, 0.5)])
def test_lines_that_make_no_sense_are_refused(malignant, benign):
    with pytest.raises(BenchmarkError, match="ratings are 1 to 5"):
        Ratings(malignant, benign)
