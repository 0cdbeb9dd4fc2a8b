"""The leaderboard: results of ``m3dsynth score --json`` as a static page, Markdown, CSV, and YAML for the Hub."""

from benchmarks.leaderboard.board import Board, boards
from benchmarks.leaderboard.entry import Entry, Group, Terms
from benchmarks.leaderboard.result_file import read_entries
from benchmarks.leaderboard.site import write_site

__all__ = ["Board", "Entry", "Group", "Terms", "boards", "read_entries", "write_site"]
