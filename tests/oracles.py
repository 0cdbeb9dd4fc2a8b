"""Submissions of detectors that know the truth, and make of it what a test wants."""

import numpy as np

from m3dsynth_dataset.scoring import truths
from m3dsynth_dataset.submission import Heatmap, Prediction, as_table, read_submission, write_submission


def marked(truth, level=255):
    """The mask as a map."""
    return Heatmap(truth.box, truth.mask().astype(np.uint8) * np.uint8(level))


def perfect(truth):
    is_tampered = truth.label == "tampered"
    return Prediction(truth.sample_id, float(is_tampered), marked(truth) if is_tampered else None)


def constant(truth):
    return Prediction(truth.sample_id, 0.3)


def inverted(truth):
    """Sure of the opposite; its map is of everything in the box but the mask."""
    is_tampered = truth.label == "tampered"
    heatmap = Heatmap(truth.box, (~truth.mask()).astype(np.uint8) * np.uint8(255)) if is_tampered else None
    return Prediction(truth.sample_id, float(not is_tampered), heatmap)


def random(seed):
    """Scores of few levels, so that many are equal, and maps beside the truth."""
    rng = np.random.default_rng(seed)

    def judge(truth):
        score = (rng.integers(0, 6) + 2 * (truth.label == "tampered")) / 8
        heatmap = None
        if truth.box is not None and rng.random() < 0.8:
            heatmap = Heatmap(truth.box, rng.integers(0, 256, truth.box.shape).astype(np.uint8))
        return Prediction(truth.sample_id, float(score), heatmap)

    return judge


def hand_in(path, release, judge, *, split="test", calibrates=True, known=None, **metadata):
    """The submission of a detector that judges samples by what is true of them."""
    samples = list(truths(release, split)) if known is None else list(known)
    if calibrates:
        samples += [truth for truth in truths(release, "validation") if truth.label == "pristine"]
    return write(path, release, [judge(truth) for truth in samples], split=split, **metadata)


def write(path, release, predictions, *, split="test", **metadata):
    about = {"detector": "oracle", "release_digest": release.manifest.digest, "split": split}
    write_submission(path, as_table(predictions), about | metadata)
    return read_submission(path)
