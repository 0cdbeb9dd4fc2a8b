"""A procedural phantom: chests on CT with nodules and their annotations, in the layout of LIDC-IDRI."""

from builder.phantom.cohort import write_phantom

__all__ = ["write_phantom"]
