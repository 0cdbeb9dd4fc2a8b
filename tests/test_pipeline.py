"""All commands of the README in a row on small phantoms: plan, extract, train, build, show."""

from itertools import product

import numpy as np
import pytest
from datasets import load_dataset

from builder.cli import main as builder
from builder.phantom import write_phantom
from generation.cli import main as generation
from m3dsynth_dataset import open_release

TRAINED = ["pix2pix", "cyclegan", "dm"]
OWN = """
import torch
from generation.equalisation import Equalisation
from generation.mask import core

class Air:
    name, hidden, weights_sha256, equalisation = "air", core(), "", Equalisation.linear()

    def __init__(self, manipulation):
        pass

    def inpaint(self, masked, seeds):
        return torch.full_like(masked, -0.5)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the commands left: plan, cubes, weights, release and picture."""
    folder = tmp_path_factory.mktemp("pipeline")
    lidc = write_phantom(folder / "lidc", patients=4, seed=3, size="small")
    plan, cubes, work, weights = (str(folder / name) for name in ("plan.parquet", "cubes.zarr", "work", "weights"))
    scans = ["--lidc", str(lidc), "--workers", "1"]
    assert builder(["plan", *scans, "--out", plan]) == 0
    assert builder(["extract", *scans, "--plan", plan, "--out", cubes, "--work", work]) == 0
    for name, manipulation in product(TRAINED, ("injection", "removal")):
        training = ["--cubes", cubes, "--out", weights, "--preset", "tiny", "--steps", "2", "--look-every", "3"]
        assert generation(["train", name, manipulation, *training, "--device", "cpu"]) == 0
    (folder / "mypkg.py").write_text(OWN)
    building = ["--plan", plan, "--work", work, "--weights", weights, "--out", str(folder / "m3dsynth")]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        assert builder(["build", *scans, *building, "--inpainter", *TRAINED, "dm-dpmpp20", "mypkg:Air"]) == 0
    assert builder(["show", str(folder / "m3dsynth"), "--out", str(folder / "edits.png")]) == 0
    return folder


def test_the_release_has_every_generator_and_the_control_for_both_manipulations(made):
    generators = [*TRAINED, "dm-dpmpp20", "air", "identity"]
    configs = {f"{name}-{manipulation}" for name, manipulation in product(generators, ("injection", "removal"))}
    assert set(open_release(made / "m3dsynth").configs) == configs | {"pristine"}


def test_a_users_own_inpainter_fills_and_is_named_in_card_and_manifest(made):
    release = open_release(made / "m3dsynth")
    config = "air-removal"
    sample = release.sample(release.rows(config, release.splits[config][0], ["sample_id"])["sample_id"][0].as_py())
    assert sample.ct[...][sample.mask[...]].min() < -950 < sample.pristine[...][sample.mask[...]].min()
    assert release.manifest.built["inpainters"][config] == {"class": "mypkg:Air"}
    assert "`mypkg:Air`, not one of this project's inpainters" in (made / "m3dsynth" / "README.md").read_text()


def test_the_card_says_that_dm_took_fewer_steps_than_published(made):
    card = (made / "m3dsynth" / "README.md").read_text().splitlines()
    said = [line.split("`")[1] for line in card if "sampled in 50 steps (DDIM), not in all 2,000" in line]
    assert said == ["dm-injection", "dm-removal"]


def test_samplers_of_one_model_are_different_generators(made):
    release = open_release(made / "m3dsynth")
    split = release.splits["dm-injection"][0]
    site = release.rows("dm-injection", split, ["site_id"])["site_id"][0].as_py()
    one, other = release.sample(f"dm/{site}"), release.sample(f"dm-dpmpp20/{site}")
    assert one.row["weights_sha256"] == other.row["weights_sha256"]
    assert (one.ct[...] != other.ct[...]).any()


def test_the_plain_call_loads_it(made, monkeypatch):
    monkeypatch.chdir(made)
    loaded = load_dataset("m3dsynth", "pix2pix-injection")
    streamed = load_dataset("m3dsynth", "pix2pix-injection", streaming=True)
    for split, rows in loaded.items():
        assert set(rows["generator"]) == {"pix2pix"}
        assert [row["sample_id"] for row in streamed[split]] == rows["sample_id"][:]


def test_the_inpainter_changes_what_the_control_leaves(made):
    release = open_release(made / "m3dsynth")
    split = release.splits["pix2pix-injection"][0]
    site = release.rows("pix2pix-injection", split, ["site_id"])["site_id"][0].as_py()
    filled, control = release.sample(f"pix2pix/{site}"), release.sample(f"identity/{site}")
    assert filled.row["box_start_zyx"] == control.row["box_start_zyx"]
    inside = filled.mask[...]
    np.testing.assert_array_equal(inside, control.mask[...])
    before = filled.pristine[...][inside].astype(int)
    changes = [np.abs(sample.ct[...][inside] - before).mean() for sample in (filled, control)]
    assert changes[0] > 2 * changes[1] > 0


def test_rows_and_manifest_name_the_weights(made):
    release = open_release(made / "m3dsynth")
    split = release.splits["pix2pix-removal"][0]
    (sha,) = set(release.rows("pix2pix-removal", split, ["weights_sha256"])["weights_sha256"].to_pylist())
    assert release.manifest.built["weights_sha256"]["pix2pix-removal"] == sha
    assert release.manifest.built["inpainters"]["pix2pix-removal"]["steps"] == 2
    assert release.manifest.built["trained_on"] == ["phantom"]


def test_training_cubes_are_of_train_patients_only(made):
    import pyarrow.parquet as pq

    table = pq.read_table(made / "cubes.zarr" / "table.parquet").to_pylist()
    plan = pq.read_table(made / "plan.parquet").to_pylist()
    splits = {row["patient_id"]: row["split"] for row in plan}
    assert {splits[row["patient_id"]] for row in table if row["kind"] == "training"} == {"train"}
    assert {row["manipulation"] for row in table if row["kind"] == "training"} == {"injection", "removal"}
    assert {row["tissue"] for row in table if row["kind"] == "training"} == {"nodule", "parenchyma"}


def test_the_picture_is_there(made):
    assert (made / "edits.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["m3dsynth", "--sample", "pix2pix/inj_0"], "no sample 'pix2pix/inj_0'; did you mean"),
        (["weights"], "no release there"),
    ],
)
def test_what_cannot_be_shown_is_one_line(made, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(made)
    assert builder(["show", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_pristine_sample_has_nothing_to_show(made, monkeypatch, capsys):
    monkeypatch.chdir(made)
    split = open_release("m3dsynth").splits["pristine"][0]
    sample_id = open_release("m3dsynth").rows("pristine", split)["sample_id"][0].as_py()
    assert builder(["show", "m3dsynth", "--sample", sample_id, "--out", "pristine.png"]) == 2
    assert f"needs a sample with an edit, got {sample_id}" in capsys.readouterr().err
    assert not (made / "pristine.png").exists()


def test_the_users_work_folder_stays(made):
    assert (made / "work" / "scans").is_dir()
    assert not (made / "m3dsynth.work").exists()
