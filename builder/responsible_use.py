"""What a release is for, what it is not for, and whose scans it holds, in Croissant's words for it (RAI 1.0)."""

from typing import Any

_COLLECTION = {
    "LIDC-IDRI": "The scans are those of LIDC-IDRI: clinical and screening thoracic CT of seven academic centres, "
    "collected retrospectively. Four radiologists outlined nodules, blinded first and then with each other's marks.",
    "phantom": "No scan was made of anybody. The volumes are computed: procedural anatomy, a simulated scanner, and "
    "simulated readers.",
    "user": "The scans are those of whoever built this release; nothing is known here of how they were collected.",
}
_PERSONAL = {
    "LIDC-IDRI": "Chest CT scans of patients, de-identified by LIDC-IDRI. patient_id and scan_id are those of "
    "LIDC-IDRI; no name or other attribute of a person is in the release. Do not try to find out who somebody is.",
    "phantom": "None. No person was scanned, and the identifiers are invented.",
    "user": "Chest CT scans; whether they are de-identified is known to whoever built this release.",
}
_LIDC = "https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX"
_M3DSYNTH = "https://arxiv.org/abs/2309.07973"

USES = (
    "Training, judging and comparing detectors that find and localise manipulated regions in CT scans.",
    "Measuring whether a detector recognises a generator or only the pipeline, with the control configs.",
)
MISUSES = (
    "Not for diagnosis, nor for training or judging diagnostic models: injected nodules are no disease, and removed "
    "ones were.",
    "Not for passing a manipulated scan off as anybody's examination, nor for making such manipulation harder to find.",
)
_BIASES = (
    "Nodules are injected and removed where the readers' annotations allow it, so their sizes and places are those of "
    "the annotated database, not of a population.",
    "Manipulations come from the generators that the configs name; a detector that finds these need not find others.",
)
_SOCIAL_IMPACT = (
    "Manipulated scans could be used for fraud or to harm a patient; detectors need examples to learn from. The "
    "release gives what changed in every manipulated scan, and a control; scans that leave it as files are marked as "
    "synthetic."
)


def responsible_use(built: dict[str, Any]) -> dict[str, Any]:
    """The ``rai:`` and ``prov:`` properties of a release.

    Args:
        built: The manifest's account of how it came about.
    """
    source = built["source"]
    properties: dict[str, Any] = {
        "rai:dataCollection": _COLLECTION[source],
        "rai:dataPreprocessingProtocol": [
            "Rescaled to Hounsfield units and ordered by slice position, the most cranial slice first; nothing else."
        ],
        "rai:dataAnnotationProtocol": [
            "The mask of an edited row is the published label."
            if "imported" in built
            else "The mask of an edited row is of the voxels that came from the inpainter: known, not annotated."
        ],
        "rai:dataUseCases": list(USES),
        "rai:dataLimitations": [*MISUSES, *_limitations(built)],
        "rai:dataBiases": list(_BIASES),
        "rai:dataSocialImpact": _SOCIAL_IMPACT,
        "rai:personalSensitiveInformation": [_PERSONAL[source]],
        "rai:hasSyntheticData": True,
        "prov:wasGeneratedBy": {"@type": "prov:Activity", "prov:label": f"m3dsynth: {', '.join(built['inpainters'])}"},
    }
    origins = [_LIDC] * (source == "LIDC-IDRI") + [_M3DSYNTH] * ("imported" in built)
    return properties | ({"prov:wasDerivedFrom": [{"@id": each} for each in origins]} if origins else {})


def _limitations(built: dict[str, Any]) -> list[str]:
    source, learned_from = built["source"], built["trained_on"]
    limitations = []
    if source == "phantom":
        limitations.append("These are phantoms: results on them say nothing about results on patients.")
    if learned_from and learned_from != [source]:
        limitations.append(f"The inpainters learned from {', '.join(learned_from)} cubes, not from {source}.")
    return limitations
