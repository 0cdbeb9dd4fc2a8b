"""Builds a release of a zoo of any size, and judges it."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]  # the checkout

from dicom_zoo.judge import judge_zoo  # noqa: E402
from dicom_zoo.population import write_zoo  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dicom_zoo", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write zoo and release; must not exist")
    parser.add_argument("--specimens", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    wanted = parser.parse_args()
    zoo = write_zoo(wanted.folder / "dicom", wanted.specimens, wanted.seed)
    wrong, report = judge_zoo(zoo, wanted.folder, wanted.workers)
    kinds = Counter("fuzzed" if it.is_fuzzed else "refused" if it.refused else "read" for it in zoo)
    lines = [
        f"{wanted.specimens} folders, {len(zoo)} series: {dict(kinds)}; rows: {json.dumps(report['rows'])}",
        f"{len(report['left_out'])} findings, {len(report['lossily_compressed'])} scans lossily compressed",
        *wrong,
        f"{len(wrong)} complaints",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
