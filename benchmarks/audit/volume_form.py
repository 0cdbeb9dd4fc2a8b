"""Files of volumes: a detector must not see from the file which version of a scan it has."""

from collections import Counter
from collections.abc import Iterator

from benchmarks.audit.survey import Survey
from benchmarks.audit.verdict import Check, counted, unmeasured
from m3dsynth_dataset.schema import SEALED


def check_volumes(survey: Survey) -> Iterator[Check]:
    """Form, path and age of volumes."""
    yield _forms(survey)
    yield _paths(survey)
    yield _ages(survey)


def _forms(survey: Survey) -> Check:
    name = "form of volumes"
    rule = "all volumes have one form: data type, chunks, compression, fill value, and attributes in one order"
    forms = {path: volume.form for path, volume in survey.volumes.items()}
    if not any(forms.values()):
        return unmeasured(name, rule, "the volumes are not on this machine")
    usual = Counter(forms.values()).most_common(1)[0][0]
    wrong = sorted(path for path, form in forms.items() if form != usual)
    return counted(name, rule, wrong, f"{len(forms)} volumes", "write all volumes with m3dsynth's write_volume")


def _paths(survey: Survey) -> Check:
    name, rule = "path of voxels", "edited samples are read from the file of the pristine scan, and an edit over it"
    pristine = {row["scan_id"]: row["volume"] for row in survey.of("pristine")}
    edited = survey.of("tampered", "control")
    if not edited:
        return unmeasured(name, rule, "no sample is known to be edited")
    wrong = [
        row["sample_id"]
        for row in edited
        if not row["is_edited"] or pristine.get(row["scan_id"], row["volume"]) != row["volume"]
    ]
    remedy = "store the pristine volume once, and each tampered version as an edit"
    return counted(name, rule, wrong, f"{len(edited)} edited samples", remedy)


def _ages(survey: Survey) -> Check:
    """Files that were copied have the age of the copy, which says nothing; so a difference alone is no leak."""
    name, rule = "age of files", "the files of all sealed volumes are of one age"
    sealed = {row["volume"] for row in survey.rows if row["label"] == SEALED}
    if not sealed:
        return unmeasured(name, rule, "one file serves all versions of a scan, so its age tells none of them")
    ages = [survey.volumes[path].age for path in sorted(sealed)]
    if len(set(ages)) > 1:
        return unmeasured(name, rule, f"{len(set(ages))} ages; whether they follow the labels, only their keeper knows")
    return counted(name, rule, [], f"{len(sealed)} sealed volumes", "")
