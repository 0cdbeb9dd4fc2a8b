"""The viewer: a static page of a release's samples, in three planes, before and after."""

from benchmarks.viewer.gallery import view

__all__ = ["view"]
