import subprocess
import sys
from pathlib import Path

import pytest

from builder.engine import Crew, Engine, Held, engine_named
from builder.errors import BuilderError
from builder.local_engine import LocalEngine

ROOT = Path(__file__).parents[2]


def test_without_ray_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "builder.ray_engine", raising=False)
    monkeypatch.delitem(sys.modules, "builder.ray_crew", raising=False)
    with (
        pytest.raises(BuilderError, match=r'needs Ray: pip install "m3dsynth\[ray\]"'),
        engine_named("ray", 1, tmp_path, []),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_another_module_that_is_missing_is_not_taken_for_ray(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "builder.ray_engine", None)
    with pytest.raises(ModuleNotFoundError, match="ray_engine"), engine_named("ray", 1, tmp_path, []):
        pass


def test_a_build_without_ray_does_not_import_it():
    code = "import sys; sys.modules['ray'] = None; import builder.build, builder.commands.build, builder.local_engine"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_the_local_engine_is_one(tmp_path):
    with engine_named("local", 2, tmp_path, []) as engine:
        assert engine == LocalEngine(2)
        assert isinstance(engine, Engine)
        assert engine.device("cpu") == "cpu"
        with engine.crew("cpu") as crew:
            assert isinstance(crew, Crew)
            assert crew.workers == 2
        with engine.crew("cuda") as crew:
            assert crew.workers == 1


def test_a_tool_is_made_once_and_again_when_another_is_wanted():
    made = []

    def maker(name):
        def make():
            made.append(name)
            return name

        return make

    first, second, held = maker("first"), maker("second"), Held()
    assert [held.made_by(make) for make in (first, first, second, first)] == ["first", "first", "second", "first"]
    assert made == ["first", "second", "first"]
