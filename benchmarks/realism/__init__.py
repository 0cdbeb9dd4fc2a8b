"""How the edits of a release look beside tissue: noise, seam, HU, features, and whether a classifier tells them."""

from benchmarks.realism.embedding import Embedding, malignancy_embedding
from benchmarks.realism.report import Report, realism, write

__all__ = ["Embedding", "Report", "malignancy_embedding", "realism", "write"]
