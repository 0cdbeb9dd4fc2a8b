import json
import re
import shutil
import stat
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest
import sealable_release
import yaml
from datasets import load_dataset

from benchmarks.cli import main
from benchmarks.detector import SliceVerdict
from benchmarks.errors import BenchmarkError
from benchmarks.prediction import Predicting
from benchmarks.sealing import Shares, challenge, drawing, seal
from benchmarks.sealing import sealed_rows as volumes
from m3dsynth_dataset import DamagedReleaseError, M3DSynth, open_release
from m3dsynth_dataset.cli import main as score_command
from m3dsynth_dataset.schema import FEATURES, data_file
from m3dsynth_dataset.scoring import judge, scorecard, truths
from m3dsynth_dataset.scoring.labels import read_labels
from m3dsynth_dataset.submission import Heatmap, Prediction, as_table, write_submission
from m3dsynth_dataset.verification import verify
from m3dsynth_dataset.volume import write_volume

SHARD, METADATA = "c/0/0/0", "zarr.json"


def files_of(release):
    return {path.relative_to(release.path).as_posix(): path for path in release.path.rglob("*") if path.is_file()}


def sealed_rows(release):
    return release.rows("sealed", "test").to_pylist()


# What goes out.


def test_each_volume_is_that_of_the_version_that_was_drawn_to_the_voxel(source, sealing):
    kinds = set()
    for row in sealed_rows(sealing.public):
        version = source.sample(sealing.labels.sources[row["sample_id"]])
        kinds.add(version.label)
        assert np.array_equal(sealing.public.sample(row).ct[...], version.ct[...])
        assert np.array_equal(version.ct[...], version.pristine[...]) == (version.label == "pristine")
    assert kinds == {"pristine", "tampered", "control"}


def test_one_version_of_one_scan_of_each_patient_with_edits_goes_out(source, sealing):
    patients = Counter(source.sample(name).row["patient_id"] for name in sealing.labels.sources.values())

    assert patients == Counter(set(sealable_release.TESTED) - {sealable_release.UNEDITED})
    assert sealing.report.scans_left_out == 2


def test_the_public_release_is_sound(sealing):
    assert not list(verify(sealing.public.path, workers=1))


def test_train_and_validation_are_as_they_were(source, sealing):
    before, after = files_of(source), files_of(sealing.public)
    kept = [name for name in after if name.startswith("data/") and "/test-" not in name]
    rows = [row for config, splits in source.splits.items() for split in splits if split != "test"
            for row in source.rows(config, split, ["volume"]).to_pylist()]  # fmt: skip
    kept += [f"{row['volume']}/{name}" for row in rows for name in (METADATA, SHARD)]

    assert len([name for name in kept if name.startswith("data/")]) == 2 * 5
    assert all(before[name].read_bytes() == after[name].read_bytes() for name in [*kept, "LICENSE", "ATTRIBUTION.md"])
    assert sum(name.startswith("volumes/") for name in after) == 2 * (4 + 9)


def test_the_source_stays_as_it_was(source, sealing):
    assert not list(verify(source.path, workers=1))


# That it tells nothing.


def other_versions(drawn, source):
    """The same scans, each in another version than was drawn."""
    every = list(truths(source, "test"))
    return [
        next(each for each in every if each.scan_id == truth.scan_id and each.label != truth.label) for truth in drawn
    ]


@pytest.fixture(scope="module")
def swapped(source, sealing, tmp_path_factory):
    """The same scans under the same names, each in another version."""
    folder = tmp_path_factory.mktemp("swapped")
    with pytest.MonkeyPatch.context() as context:
        context.setattr(challenge.secrets, "token_bytes", lambda _: sealing.labels.secret)
        context.setattr(challenge, "draw", lambda *known: other_versions(drawing.draw(*known), source))
        seal(source, folder / "public", folder / "labels.parquet")
    return open_release(folder / "public")


def test_another_version_of_a_scan_changes_its_voxels_and_nothing_else(sealing, swapped):
    mine, others = files_of(sealing.public), files_of(swapped)
    assert mine.keys() == others.keys()
    different = {name for name in mine if mine[name].read_bytes() != others[name].read_bytes()}

    shards = {f"{row['volume']}/{SHARD}" for row in sealed_rows(sealing.public)}
    quoting = {"manifest.json", "README.md", "croissant.json"}  # sizes and checksums of the shards, and the digest
    assert different == shards | quoting


def test_apart_from_checksums_the_texts_do_not_depend_on_the_versions(sealing, swapped):
    mine, others = (json.loads((each.path / "manifest.json").read_text()) for each in (sealing.public, swapped))
    for manifest in (mine, others):
        del manifest["digest"], manifest["built"]["sealed"]["labels_sha256"]
        for name in [*(name for name in manifest["files"] if name.endswith(SHARD)), "README.md", "croissant.json"]:
            del manifest["files"][name]
    assert mine == others

    def text(release, name):
        words = {release.manifest.digest[:16]: "DIGEST", release.manifest.built["sealed"]["labels_sha256"]: "LABELS"}
        found = (release.path / name).read_text()
        for word, stands_for in words.items():
            found = found.replace(word, stands_for)
        return found

    for name in ("README.md", "croissant.json"):
        assert text(sealing.public, name) == text(swapped, name)


def test_a_volume_is_encoded_as_a_pristine_one_with_its_voxels_would_be(sealing, source, tmp_path):
    pristine = json.loads((source.path / source.rows("pristine", "train")["volume"][0].as_py() / METADATA).read_text())
    for row in sealed_rows(sealing.public):
        stored = sealing.public.path / row["volume"]
        metadata = json.loads((stored / METADATA).read_text())
        write_volume(tmp_path / row["scan_id"], sealing.public.sample(row).ct[...], {})
        assert (stored / SHARD).read_bytes() == (tmp_path / row["scan_id"] / SHARD).read_bytes()
        assert list(metadata["attributes"]) == list(pristine["attributes"])
        assert metadata | {"attributes": 0} == pristine | {"attributes": 0}


def test_rows_have_the_columns_of_the_scan_and_no_other(sealing):
    known = {
        "sample_id",
        "source",
        "scan_id",
        "patient_id",
        "shape_zyx",
        "spacing_mm",
        "origin_mm",
        "direction",
        "volume",
    }
    for row in sealed_rows(sealing.public):
        assert {name for name, value in row.items() if value is not None} == known
        assert row.keys() == FEATURES.keys()
        assert row["origin_mm"] == [0, 0, 0]
        assert row["sample_id"] == f"sealed/{row['scan_id']}"
        assert row["patient_id"] == row["scan_id"]


def test_the_order_of_the_rows_is_that_of_the_names(sealing):
    names = [row["scan_id"] for row in sealed_rows(sealing.public)]
    assert names == sorted(names)


def test_names_are_drawn_anew_each_time(source, sealing, tmp_path):
    seal(source, tmp_path / "public", tmp_path / "labels.parquet")
    again = open_release(tmp_path / "public")

    assert {row["scan_id"] for row in sealed_rows(again)}.isdisjoint(
        row["scan_id"] for row in sealed_rows(sealing.public)
    )
    assert read_labels(tmp_path / "labels.parquet").secret != sealing.labels.secret


def test_files_are_of_one_age(sealing):
    folders = [sealing.public.path / row["volume"] for row in sealed_rows(sealing.public)]
    ages = {path.stat().st_mtime_ns for folder in folders for path in (folder, *folder.rglob("*"))}
    assert len(folders) == 9
    assert len(ages) == 1


def searchable(path):
    """The bytes of a file, and what its compressed columns hold."""
    text = str(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else b""
    return path.as_posix().encode() + path.read_bytes() + text


def test_nothing_of_the_test_is_found_in_any_file(source, sealing):
    secret = {sealable_release.SECRET_GENERATOR, sealable_release.SECRET_WEIGHTS, sealing.labels.secret.hex()}
    for config, splits in source.splits.items():
        for row in source.rows(config, "test").to_pylist() if "test" in splits else ():
            secret |= {row["sample_id"], row["scan_id"], row["patient_id"], row["volume"]}
            secret |= {row["site_id"], row["base_sha256"]} - {None}
            secret.add(str(row["origin_mm"][0]))
    secret |= {record.sha256 for name, record in source.manifest.files.items() if "/test-" in name}
    words = [word.encode() for word in secret] + [sealing.labels.secret]

    assert len(words) > 100
    for name, path in files_of(sealing.public).items():
        content = searchable(path).removeprefix(sealing.public.path.as_posix().encode())
        assert not [word for word in words if word in content], name


def test_no_file_of_the_sealed_test_names_a_generator_or_a_class(sealing):
    names = ["pix2pix", "identity", "injection", "removal", "inj_", "rem_", "control", "tampered", "pristine"]
    rows = sealed_rows(sealing.public)
    texts = [str(rows), *((sealing.public.path / row["volume"] / METADATA).read_text() for row in rows)]
    # The classes' names alone stand in the schema, as in every file of rows.
    table = (sealing.public.path / data_file("sealed", "test")).read_bytes()
    texts.append(table.replace(FEATURES.arrow_schema.metadata[b"huggingface"], b"").decode("latin-1"))
    texts[-1] = re.sub(r"[A-Za-z0-9+/]{400,}", "", texts[-1])  # the schema once more, in base64
    assert not [name for name in names for text in texts if name in text]


# That it can be read and scored.


def test_datasets_loads_it_without_labels(sealing):
    rows = load_dataset(str(sealing.public.path), "sealed", split="test")
    assert rows["label"] == rows["manipulation"] == rows["generator"] == rows["patch"] == [None] * 9

    every = load_dataset(str(sealing.public.path))
    assert every["test"].num_rows == 9
    assert every["train"].num_rows == 2 * (1 + 2)


def test_the_builder_class_loads_it_too(sealing, tmp_path):
    builder = M3DSynth("sealed", data_dir=sealing.public.path, cache_dir=str(tmp_path))
    builder.download_and_prepare()
    assert builder.as_dataset("test")["sample_id"] == [row["sample_id"] for row in sealed_rows(sealing.public)]


class Reporter:
    """Finds as tampered whatever it is told to."""

    name, reach = "reporter", 1

    def __init__(self):
        self.seen = 0

    def judge(self, ct, first, stop):
        for number in range(first, stop):
            self.seen += 1
            yield SliceVerdict(number, float(np.clip((ct[number].mean() + 1024) / 2048, 0, 1)), None)


def test_a_detector_judges_every_sealed_scan_once_and_whole(sealing, tmp_path):
    detector = Reporter()
    Predicting(sealing.public, "test", detector)(tmp_path / "out")

    predicted = pq.read_table(tmp_path / "out" / "predictions.parquet")["sample_id"].to_pylist()
    assert predicted == [row["sample_id"] for row in sealed_rows(sealing.public)]
    assert detector.seen == 9 * sealable_release.SHAPE[0]


def perfect(truth):
    mask = truth.mask() if truth.label == "tampered" else None
    heatmap = None if mask is None else Heatmap(truth.box, mask.astype(np.uint8) * 255)
    return Prediction(truth.sample_id, float(truth.label == "tampered"), heatmap)


def test_a_perfect_submission_scores_everything_by_the_labels(sealing):
    known = sealing.labels.truths
    sealing.labels.check(sealing.public)
    card = scorecard(judge(known, {truth.sample_id: perfect(truth) for truth in known}), draws=5)

    overall = card.overall
    assert [each.value for each in (overall.f1, overall.iou, overall.pd, overall.auc, overall.accuracy)] == [1] * 5
    assert card.control is not None
    assert card.control.value == 0


def test_the_command_scores_it_by_the_labels_and_not_without(sealing, tmp_path, capsys):
    about = {"detector": "oracle", "release_digest": sealing.public.manifest.digest, "split": "test"}
    write_submission(tmp_path / "out", as_table(map(perfect, sealing.labels.truths)), about | {"protocol": "volume"})
    arguments = ["score", str(tmp_path / "out"), "--release", str(sealing.public.path)]

    assert score_command(arguments) == 2
    assert "its test is sealed" in capsys.readouterr().err
    assert score_command([*arguments, "--labels", str(sealing.path), "--json", str(tmp_path / "result.json")]) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["labels"] == sealing.labels.digest
    assert result["groups"][0]["f1"]["value"] == result["groups"][0]["auc"]["value"] == 1


def test_labels_are_those_of_the_source(source, sealing):
    of_source = {truth.sample_id: truth for truth in truths(source, "test")}
    for truth in sealing.labels.truths:
        origin = of_source[sealing.labels.sources[truth.sample_id]]
        for name in ("label", "generator", "manipulation", "shape", "box", "encoded_mask"):
            assert getattr(truth, name) == getattr(origin, name)


def test_the_release_promises_the_labels(sealing):
    assert sealing.public.manifest.built["sealed"] == {
        "config": "sealed", "split": "test", "samples": 9, "labels_sha256": sealing.labels.digest,
    }  # fmt: skip
    assert sealing.report.labels_sha256 == sealing.labels.digest
    assert sealing.report.digest == sealing.public.manifest.digest


def test_nobody_else_may_read_the_labels(sealing):
    assert stat.S_IMODE(sealing.path.stat().st_mode) == 0o600


# Its texts.


def test_the_card_tells_of_the_sealed_test_and_lists_what_is_there(sealing):
    card = (sealing.public.path / "README.md").read_text()

    assert "| `sealed` | 0 | 0 | 9 | 9 |" in card
    assert "| `pristine` | 2 | 2 | 0 | 4 |" in card
    assert "Scans: 13, of 13 patients." in card
    assert f"digest `{sealing.public.manifest.digest[:16]}`" in card
    assert sealing.labels.digest in card
    assert card.count("## The sealed test") == 1


def test_eval_yaml_has_one_task(sealing):
    evaluation = yaml.safe_load((sealing.public.path / "eval.yaml").read_text())
    assert evaluation["tasks"] == [{"id": "sealed", "config": "sealed", "split": "test"}]


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
def test_croissant_is_valid_and_lists_the_rows(sealing, monkeypatch):
    import mlcroissant

    monkeypatch.chdir("/")
    dataset = mlcroissant.Dataset(sealing.public.path / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    document = json.loads((sealing.public.path / "croissant.json").read_text())
    rows = {node["@id"]: node["sha256"] for node in document["distribution"] if node["@type"] == "cr:FileObject"}
    assert rows == {
        name: record.sha256 for name, record in sealing.public.manifest.files.items() if name[:5] == "data/"
    }
    found = [record["sealed/sample_id"].decode() for record in dataset.records("sealed")]
    assert found == [row["sample_id"] for row in sealed_rows(sealing.public)]


# Mistakes, and going on.


def test_a_sealed_release_is_not_sealed_again(sealing, tmp_path):
    with pytest.raises(BenchmarkError, match="sealed already"):
        seal(sealing.public, tmp_path / "again", tmp_path / "labels")


@pytest.mark.parametrize(
    ("out", "labels", "message"),
    [
        ("public", "public/labels", "with which the labels would be passed on"),
        ("public", "public.work/labels", "with which the labels would be passed on"),
        ("public", "m3dsynth/labels", "with which the labels would be passed on"),
        ("m3dsynth/public", "labels", "one release lies in the other"),
        ("m3dsynth", "labels", "one release lies in the other"),
        ("taken", "labels", "there is something already"),
        ("public", "taken/file", "not labels that .* will not be replaced"),
    ],
)
def test_places_that_are_taken_or_give_the_labels_away_are_refused(source, tmp_path, out, labels, message):
    (tmp_path / "m3dsynth").symlink_to(source.path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    with pytest.raises(BenchmarkError, match=message):
        seal(source, tmp_path / out, tmp_path / labels)
    assert not (tmp_path / "public").exists()
    assert (tmp_path / "taken" / "file").read_text() == "mine"


def test_patients_that_are_not_apart_are_refused(learnable_release, tmp_path):
    with pytest.raises(BenchmarkError, match=r"PHANTOM-0001.* in test and in another split"):
        seal(open_release(learnable_release), tmp_path / "public", tmp_path / "labels")


def test_a_release_without_test_rows_is_refused(sealing, tmp_path):
    shutil.copytree(sealing.public.path, tmp_path / "open")
    shutil.rmtree(tmp_path / "open" / "data" / "sealed")
    with pytest.raises(BenchmarkError, match="has no test rows"):
        seal(open_release(tmp_path / "open"), tmp_path / "public", tmp_path / "labels")


def test_a_release_of_another_format_is_refused(source, tmp_path):
    shutil.copytree(source.path, tmp_path / "old")
    manifest = json.loads((tmp_path / "old" / "manifest.json").read_text())
    (tmp_path / "old" / "manifest.json").write_text(json.dumps(manifest | {"format_version": "1.0"}))
    with pytest.raises(BenchmarkError, match=r"format 1\.0, but sealed volumes are written in format"):
        seal(open_release(tmp_path / "old"), tmp_path / "public", tmp_path / "labels")


def test_a_file_that_is_missing_in_the_source_is_named(source, tmp_path):
    shutil.copytree(source.path, tmp_path / "cut")
    (tmp_path / "cut" / data_file("pix2pix-removal", "train")).rename(tmp_path / "away")
    release = open_release(tmp_path / "cut")
    release.splits = source.splits
    with pytest.raises(DamagedReleaseError, match="pix2pix-removal"):
        seal(release, tmp_path / "public", tmp_path / "labels")
    assert not (tmp_path / "public").exists()


def stopped(monkeypatch, after):
    """Stop when so many volumes have been written."""
    working, written = volumes.write_volume, []

    def write(place, *rest):
        if len(written) == after:
            raise KeyboardInterrupt
        written.append(place.name)
        working(place, *rest)

    monkeypatch.setattr(volumes, "write_volume", write)
    return written


def test_a_run_that_was_stopped_goes_on_with_what_it_had_drawn(source, tmp_path, monkeypatch):
    with monkeypatch.context() as context:
        first = stopped(context, 4)
        with pytest.raises(KeyboardInterrupt):
            seal(source, tmp_path / "public", tmp_path / "labels")
    assert not (tmp_path / "public").exists()
    drawn = (tmp_path / "labels").read_bytes()

    written = stopped(monkeypatch, 100)
    seal(source, tmp_path / "public", tmp_path / "labels")
    assert len(first) == 4
    assert len(written) == 5
    assert not set(first) & set(written)
    assert (tmp_path / "labels").read_bytes() == drawn
    assert not list(tmp_path.glob("*.work"))
    read_labels(tmp_path / "labels").check(open_release(tmp_path / "public"))
    assert not list(verify(tmp_path / "public", workers=1))


def test_the_labels_make_the_same_public_release_again(source, sealing, tmp_path):
    shutil.copy2(sealing.path, tmp_path / "labels")
    again = seal(source, tmp_path / "public", tmp_path / "labels")
    assert again == sealing.report


def test_labels_that_were_drawn_otherwise_are_not_gone_on_with(source, sealing, tmp_path):
    shutil.copy2(sealing.path, tmp_path / "labels")
    with pytest.raises(BenchmarkError, match="other shares perhaps"):
        seal(source, tmp_path / "public", tmp_path / "labels", Shares(0.3, 0))


def test_labels_of_another_release_are_not_replaced(release_path, sealing, tmp_path):
    shutil.copy2(sealing.path, tmp_path / "labels")
    with pytest.raises(BenchmarkError, match="labels of another release"):
        seal(open_release(release_path), tmp_path / "public", tmp_path / "labels")


def test_the_command_seals_and_a_mistake_is_one_line(source, tmp_path, capsys):
    arguments = ["seal", str(source.path), "--out", str(tmp_path / "public"), "--labels", str(tmp_path / "labels")]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    labels = read_labels(tmp_path / "labels")
    assert "9 sealed samples" in said
    assert labels.digest in said
    assert labels.secret.hex() not in said

    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
