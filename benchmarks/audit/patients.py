"""Who is where: patients between splits, and every tampered sample beside its pristine scan."""

from collections import defaultdict
from collections.abc import Iterator

from benchmarks.audit.survey import Survey
from benchmarks.audit.verdict import Check, counted, unmeasured


def check_patients(survey: Survey) -> Iterator[Check]:
    """Overlaps between splits, and missing partners."""
    for column, name in (("patient_id", "patients in two splits"), ("volume", "volumes in two splits")):
        what = name.split()[0]
        splits: dict[str, set[str]] = defaultdict(set)
        for row in survey.rows:
            splits[row[column]].add(row["split"])
        wrong = sorted(name for name, found in splits.items() if len(found) > 1)
        yield counted(
            name,
            f"no {what[:-1]} is in two splits",
            wrong,
            f"{len(splits)} {what}",
            "split by patient, and build again",
        )
    yield _partners(survey)
    yield _sites(survey)


def _partners(survey: Survey) -> Check:
    name, rule = "pristine partners", "every edited sample's scan is there as it was before, in the same split"
    edited = survey.of("tampered", "control")
    if not edited:
        return unmeasured(name, rule, _no_edits(survey))
    there = {(row["scan_id"], row["split"]) for row in survey.of("pristine")}
    wrong = [row["sample_id"] for row in edited if (row["scan_id"], row["split"]) not in there]
    remedy = "add the pristine rows; without them the scan itself tells the label"
    return counted(name, rule, wrong, f"{len(edited)} edited samples", remedy)


def _sites(survey: Survey) -> Check:
    """A generator that a split does not have at all, such as a secret one of the test, is no generator of its sites."""
    name, rule = "sites of generators", "all generators of a split, and the control, edit the same sites"
    edited = survey.of("tampered", "control")
    if not edited:
        return unmeasured(name, rule, _no_edits(survey))
    generators: dict[tuple[str, str], set[str]] = defaultdict(set)
    there: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for row in edited:
        kind = (row["split"], row["manipulation"])
        generators[kind].add(row["generator"])
        there[*kind, row["scan_id"], f"{row['site_id']} at {row['centre_zyx']}"].add(row["generator"])
    missing = [
        f"{site} ({generator})"
        for (split, manipulation, _, site), found in sorted(there.items())
        for generator in sorted(generators[split, manipulation] - found)
    ]
    remedy = "build with all inpainters, or compare them on the sites that they share"
    return counted(name, rule, missing, f"{len(there)} sites", remedy)


def _no_edits(survey: Survey) -> str:
    return "its labels are sealed" if survey.is_sealed else "it has no edited samples"
