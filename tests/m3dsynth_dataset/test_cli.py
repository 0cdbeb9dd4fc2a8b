import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import datasets
import pytest
from hub_stand_in import read_folder

from m3dsynth_dataset.cli import main
from m3dsynth_dataset.summary import summarise

ROOT = Path(__file__).parents[2]
SHARD = "volumes/scan-1.zarr/c/0/0/0"


@pytest.fixture
def copy(release_path, tmp_path):
    return shutil.copytree(release_path, tmp_path / "m3dsynth")


def test_info_prints_the_summary(release_path, capsys):
    assert main(["info", str(release_path)]) == 0
    assert capsys.readouterr().out == summarise(release_path).text() + "\n"


def test_info_prints_json_for_programs(release_path, capsys):
    assert main(["info", str(release_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == summarise(release_path).as_json()


@pytest.mark.parametrize("options", [[], ["--quick"], ["--workers", "1"]])
def test_verify_says_that_a_sound_release_is(release_path, capsys, options):
    assert main(["verify", str(release_path), *options]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{release_path}: sound; ")
    assert captured.err == ""


def test_verify_prints_every_finding_in_a_line_and_exits_with_1(copy, capsys):
    (copy / "LICENSE").unlink()
    (copy / SHARD).write_bytes(b"")
    assert main(["verify", str(copy), "--quick"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["LICENSE", SHARD, str(copy)]
    assert lines[0] == "LICENSE: the file is there; found none; copy it again from where the release came from"
    assert lines[-1].endswith(": 2 findings")


def test_verify_reads_what_a_quick_look_does_not(copy):
    data = bytearray((copy / SHARD).read_bytes())
    data[100] ^= 1
    (copy / SHARD).write_bytes(data)
    assert main(["verify", str(copy), "--quick"]) == 0
    assert main(["verify", str(copy)]) == 1


def test_verify_repairs_from_the_hub_and_checks_again(copy, hub, release_path, capsys):
    hub.create("org/m3dsynth").commit(read_folder(release_path))
    (copy / "LICENSE").unlink()
    (copy / SHARD).write_bytes(b"")
    assert main(["verify", str(copy), "--repair", "org/m3dsynth"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"{SHARD}: fetched from org/m3dsynth" in lines
    assert lines[-1].startswith(f"{copy}: sound")
    assert read_folder(copy) == read_folder(release_path)


def test_what_cannot_be_repaired_is_said(copy, hub, release_path, capsys):
    files = read_folder(release_path)
    hub.create("org/m3dsynth").commit({name: data for name, data in files.items() if name != SHARD})
    (copy / SHARD).write_bytes(b"")
    assert main(["verify", str(copy), "--repair", "org/m3dsynth"]) == 1
    assert f"{SHARD}: left as it is; " in capsys.readouterr().out
    assert main(["verify", str(copy), "--repair", "org/nothing"]) == 2
    assert "org/nothing" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["info", "verify", "install"])
def test_no_release_is_the_users_mistake(tmp_path, capsys, command):
    assert main([command, str(tmp_path / "nowhere")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {tmp_path}/nowhere: no release there")
    assert captured.out == ""


def test_info_on_a_damaged_release_is_an_error_in_one_line(copy, capsys):
    (copy / "manifest.json").write_text("{}")
    assert main(["info", str(copy)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["verify"], ["verfy", "m3dsynth"], ["verify", "m3dsynth", "--workers", "0"]])
def test_a_wrong_call_exits_with_2_and_a_message(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err


def test_install_lets_a_bare_name_load_from_any_folder(release_path, tmp_path, capsys, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert main(["install", str(release_path)]) == 0
    assert "pix2pix-injection" in capsys.readouterr().out
    assert datasets.load_dataset("m3dsynth", "pix2pix-injection", split="train")["sample_id"] == ["pix2pix/inj_1"]

    assert main(["install", "--remove"]) == 0
    assert capsys.readouterr().out == "removed 6 configs\n"
    assert main(["install", "--remove"]) == 0
    assert capsys.readouterr().out == "nothing is installed\n"


def test_install_wants_a_release_or_the_removal(release_path, capsys):
    for arguments in ([], [str(release_path), "--remove"]):
        with pytest.raises(SystemExit) as stopped:
            main(["install", *arguments])
        assert stopped.value.code == 2
        assert "name the folder of a release" in " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.mark.parametrize("command", ["info", "verify", "install"])
def test_help_has_an_example(capsys, command):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"Example: m3dsynth {command} m3dsynth" in capsys.readouterr().out


def test_an_interruption_is_no_traceback(release_path, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("m3dsynth_dataset.verification.verify", interrupted)
    assert main(["verify", str(release_path)]) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_the_module_is_the_command(release_path):
    command = [sys.executable, "-m", "m3dsynth_dataset", "verify", str(release_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sound" in done.stdout


def test_a_reader_that_has_enough_is_no_traceback(copy):
    (copy / "LICENSE").unlink()
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "m3dsynth_dataset", "verify", str(copy), "--quick"]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_the_command_line_loads_what_a_command_needs_when_it_runs():
    tree = ast.parse((ROOT / "m3dsynth_dataset" / "cli.py").read_text())
    imported = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported}
    assert not {name for name in names if name.startswith("m3dsynth_dataset")}


def test_only_the_command_line_needs_tyro():
    files = (ROOT / "m3dsynth_dataset").glob("*.py")
    assert [path.name for path in files if "tyro" in path.read_text()] == ["cli.py"]
