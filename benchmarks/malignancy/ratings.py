"""Which nodules count as malignant, and which as benign: by the readers' mean rating, 1 to 5."""

from dataclasses import dataclass

from benchmarks.errors import BenchmarkError


@dataclass(frozen=True)
class Ratings:
    """Where the lines are drawn. Nodules between them are of neither kind, and nothing is learned from them."""

    malignant: float = 4.0
    """Least mean rating of a malignant nodule."""
    benign: float = 2.0
    """Highest mean rating of a benign one."""

    def __post_init__(self) -> None:
        if not 1 <= self.benign < self.malignant <= 5:
            raise BenchmarkError(
                f"ratings are 1 to 5, and benign must lie below malignant; got benign {self.benign:g}, "
                f"malignant {self.malignant:g}"
            )

    def is_malignant(self, rating: float | None) -> bool | None:
        """Of a nodule's mean rating; None for one of neither kind, or without a rating."""
        if rating is None or self.benign < rating < self.malignant:
            return None
        return rating >= self.malignant

    def __str__(self) -> str:
        return f"malignant: mean rating of {self.malignant:g} or more, benign: {self.benign:g} or less"
