"""Results as the Hub stores them in a model's repository: ``.eval_results/*.yaml``.

A value belongs to a task of the data set's ``eval.yaml``, which a release carries: of a generator's config it is F1, of
``all`` balanced accuracy, of a sealed test F1 over all of it. See https://huggingface.co/docs/hub/eval-results.
"""

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

from benchmarks.leaderboard.entry import Entry
from benchmarks.leaderboard.measure import per_cent
from m3dsynth_dataset.metrics import Interval
from m3dsynth_dataset.schema import ALL, SEALED, Split
from m3dsynth_dataset.scoring.scorecard import OVERALL

MEASURE = "f1"
MEASURE_OF_ALL = "accuracy"


def eval_results(entry: Entry, dataset: str) -> str | None:
    """The text of a model's ``.eval_results/m3dsynth.yaml``; None if the Hub's tasks do not cover the result.

    They are of whole scans of the test split.

    Args:
        entry: A result.
        dataset: The release on the Hub, ORG/NAME.
    """
    if entry.terms.protocol != "volume" or entry.terms.split != Split.TEST:
        return None
    entries = [
        EvalResultEntry(
            dataset_id=dataset,
            task_id=task,
            value=figure.value,
            source_url=entry.account.source,
            notes=_notes(entry),
        )
        for task, figure in _tasks(entry).items()
        if figure is not None
    ]
    if not entries:
        return None
    return yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False, width=120, allow_unicode=True)


def _tasks(entry: Entry) -> dict[str, Interval | None]:
    if entry.terms.labels is not None:
        return {SEALED: entry.figure(MEASURE, OVERALL)}
    figures = {group.name: group.figures[MEASURE] for group in entry.groups[1:]}
    return {ALL: entry.figure(MEASURE_OF_ALL, OVERALL), **figures}


def _notes(entry: Entry) -> str:
    """What the number alone does not say."""
    control = "none in the split" if entry.control is None else f"{per_cent(entry.control.value)} %"
    phantom = ", phantoms" if entry.is_phantom else ""
    return (
        f"release {entry.terms.digest[:16]}{phantom}, scorer {entry.terms.scorer}, whole scans, "
        f"false alarms on the control: {control}, external data: {entry.account.external_data}"
    )
