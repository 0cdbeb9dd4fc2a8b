from dataclasses import replace

import nodule_release
import pytest
import small_classifier

from benchmarks.cli import main
from benchmarks.deception import deception, faults
from benchmarks.deception.figures import ALL, RATED
from benchmarks.errors import BenchmarkError
from benchmarks.malignancy import sites_of, train
from m3dsynth_dataset import open_release


def of(found, generator, group=RATED):
    return next(each for each in found.figures if (each.generator, each.group) == (generator, group))


@pytest.fixture(scope="module")
def found(nodules, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        small_classifier.add(monkeypatch)
        from benchmarks.malignancy import Options

        options = Options(preset=small_classifier.NAME, workers=0)
        return deception(nodules, tmp_path_factory.mktemp("out"), split="all", options=options, folds=2)


def test_roles_are_exchanged_by_a_generator_that_swaps_nodules(found):
    swap = of(found, "swap")

    assert swap.roles == "exchanged"
    assert swap.injected.value > 0.8
    assert swap.removed.value > 0.8


def test_and_not_by_the_control(found):
    control = of(found, "identity")

    assert control.roles == "kept"
    assert control.injected.value == control.removed.value == 0


def test_everybody_is_judged_once(found):
    assert found.patients == len(nodule_release.SPLITS)
    assert found.left_out == 0
    assert found.of_train == 4
    assert len(found.changes) == 4 * len(nodule_release.SPLITS)
    assert of(found, "swap", ALL).injections == len(nodule_release.SPLITS)
    assert found.classifier.startswith("2 classifiers, each preset small, trained on 3-4 malignant and 3-4 benign")


def test_a_given_classifier_leaves_out_whom_it_knows_and_needs_no_ratings(nodules, options, tmp_path):
    known = [site for site in sites_of(nodules) if site.patient_id in ("PHANTOM-0001", "PHANTOM-0006")]
    train(nodules, known, tmp_path / "weights", replace(options, steps=2))
    path = nodule_release.write(tmp_path / "m3dsynth", tmp_path / "work", rating_of=lambda patient, manipulation: None)

    found = deception(
        open_release(path), tmp_path / "out", split="test", options=options, classifier=str(tmp_path / "weights")
    )

    assert {change.patient_id for change in found.changes} == {"PHANTOM-0007"}
    assert (found.patients, found.left_out) == (1, 1)
    assert of(found, "swap", RATED).injections == 0
    assert of(found, "swap", ALL).injections == 1
    with pytest.raises(BenchmarkError, match="no site to learn from has a rating"):
        deception(open_release(path), tmp_path / "out", split="test", options=options)


def test_a_split_without_a_removal_is_an_error(release_path, options, tmp_path):
    with pytest.raises(BenchmarkError, match="no removal in 'train'"):
        deception(open_release(release_path), tmp_path, split="train", options=options)


def test_the_command_writes_everything_and_takes_up_what_is_trained(nodules, options, tmp_path, capsys):
    arguments = [
        "deception", "--data", str(nodules.path), "--preset", options.preset, "--steps", "3", "--workers", "0",
        "--split", "test", "--out", str(tmp_path),
    ]  # fmt: skip

    assert main(arguments) == 0
    assert f"page: {tmp_path / 'index.html'}" in capsys.readouterr().out
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {"deception.csv", "deception.json", "deception.md", "deception.png", "index.html", "sites.csv"}
    before = (tmp_path / "classifier" / "malignancy.safetensors").stat().st_mtime_ns
    assert main(arguments) == 0
    assert (tmp_path / "classifier" / "malignancy.safetensors").stat().st_mtime_ns == before


def test_a_classifier_that_is_trained_by_itself_judges_those_it_has_not_seen(nodules, options, tmp_path, capsys):
    weights = tmp_path / "weights"
    common = ["--data", str(nodules.path), "--preset", options.preset, "--workers", "0"]

    assert main(["malignancy", *common, "--steps", "3", "--out", str(weights)]) == 0
    assert "5 malignant and 5 benign nodules of 5 patients" in capsys.readouterr().out
    assert main(["deception", *common, "--classifier", str(weights), "--out", str(tmp_path / "out")]) == 0
    assert "test: 2 patients" in capsys.readouterr().out


def test_a_check_passes_where_roles_are_exchanged(found):
    assert faults(found.figures) == []


def test_a_release_without_the_control_is_judged_but_not_passed(options, tmp_path, capsys):
    path = nodule_release.write(tmp_path / "m3dsynth", tmp_path / "work", generators=("swap",))
    arguments = ["deception", "--data", str(path), "--preset", options.preset, "--steps", "2", "--workers", "0"]

    with pytest.raises(SystemExit, match=r"the release has no control \(identity\)"):
        main([*arguments, "--out", str(tmp_path / "out"), "--check"])
    assert "swap" in capsys.readouterr().out
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_release_of_one_config_is_an_error(options, tmp_path, capsys):
    path = nodule_release.write(
        tmp_path / "m3dsynth", tmp_path / "work", generators=("swap",), manipulations=("injection",)
    )

    assert main(["deception", "--data", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "no removal in 'test', and an exchange of roles takes both" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--preset", "huge"], "no preset 'huge'"),
        (["--malignant", "5"], "no malignant nodule"),
        (["--workers", "-1"], "--workers must be 0 or more, got -1"),
        (["--out", __file__], "is no folder; name another with --out"),
        (["--split", "all", "--folds", "9"], "--folds must be from 2"),
        (["--classifier", "nowhere.safetensors"], "nowhere.safetensors"),
    ],
)
def test_mistakes_are_one_line(nodules, options, tmp_path, capsys, more, reason):
    arguments = ["deception", "--data", str(nodules.path), "--preset", options.preset, "--out", str(tmp_path)]

    assert main([*arguments, *more]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
