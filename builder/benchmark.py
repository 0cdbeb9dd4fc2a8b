"""``eval.yaml``: what of a release is a benchmark, in the form in which the Hub registers one.

The Hub reads name, description, evaluation_framework and, for every task, its id with the config and the split to
load; a result names a task's id and gives one number. It knows evaluation frameworks by a list of its own, and shows a
leaderboard for data sets that it has been asked to list. See https://huggingface.co/docs/hub/eval-results.
"""

from typing import Any

import yaml

from builder.card import Counts
from m3dsynth_dataset.configs import config_members, is_control
from m3dsynth_dataset.schema import ALL, CONTROL, PRISTINE, Split

FRAMEWORK = "m3dsynth"
"""What scores a submission: `m3dsynth score`."""


def render_benchmark(counts: Counts, built: dict[str, Any]) -> str | None:
    """The text of a release's eval.yaml; None where no rows are set aside for testing.

    Args:
        counts: What the release holds.
        built: The manifest's account of how it came about.
    """
    tasks = [{"id": name, "config": name, "split": str(Split.TEST)} for name in _tasks(counts)]
    if not tasks:
        return None
    benchmark = {
        "name": "M3Dsynth" + (" (phantom)" if built["source"] == "phantom" else ""),
        "description": _description(built["source"]),
        "evaluation_framework": FRAMEWORK,
        "tasks": tasks,
    }
    return yaml.safe_dump(benchmark, sort_keys=False, width=120, allow_unicode=True)


def _tasks(counts: Counts) -> list[str]:
    """The default and every generator's config with rows to test on; scans and control are for judging these."""
    return [
        config
        for config, parts in config_members({config for config, _ in counts}).items()
        if not is_control(config) and any((part, Split.TEST) in counts for part in parts if part != PRISTINE)
    ]


def _description(source: str) -> str:
    phantom = " These are phantoms: results say nothing about patients." if source == "phantom" else ""
    return (
        "Find and localise what a generative model injected into a chest CT scan, or removed from it. The number of a "
        "task is what `m3dsynth score` gives for its config: localisation F1 at 0.5, mean over tampered volumes; of "
        f"{ALL}, balanced accuracy at 0.5 over tampered and pristine volumes. Give the false alarm rate on the control "
        f"({CONTROL}-*) with every result.{phantom}"
    )
