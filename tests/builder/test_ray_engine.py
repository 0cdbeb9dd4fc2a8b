"""Builds on Ray: on a cluster of raylets of this machine, some of which are killed with the work they hold.

Nodes have a GPU by their own account only, which is enough for Ray to deal it out; the inpainter does not use it.
"""

import json
import os
import socket
import threading
import time
from pathlib import Path

import doomed_nodes
import pytest
from small_scans import write_scans

from builder.cli import main
from builder.common_ground import NodeError, marked
from builder.errors import BuilderError, SeriesError
from builder.workers import WorkerLostError

ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "m3dsynth[ray]"')
cluster_utils = pytest.importorskip("ray.cluster_utils")
engines = pytest.importorskip("builder.ray_engine")
crews = pytest.importorskip("builder.ray_crew")
TESTS = Path(__file__).parents[1]
SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 200, "health_check_failure_threshold": 3}
"""When Ray takes a node for lost: its own choice is half a minute."""


@pytest.fixture(scope="module")
def lidc(tmp_path_factory):
    """Of five patients, so that there are two batches of cubes."""
    return write_scans(tmp_path_factory.mktemp("small") / "lidc", patients=5)


def build(lidc, out, *options):
    arguments = ["build", "--lidc", lidc, "--out", out, "--weights", out.parent / "weights", "--workers", "2", *options]
    return main([*map(str, arguments), "--inpainters", "doomed_nodes:Holding"])


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def release(lidc, tmp_path_factory):
    """Every file of a release that was built without Ray."""
    out = tmp_path_factory.mktemp("local") / "m3dsynth"
    assert build(lidc, out, "--workers", 1) == 0
    return files_of(out)


def test_ray_on_one_machine_gives_the_same_release(lidc, release, tmp_path, monkeypatch):
    monkeypatch.delenv(engines.ADDRESS, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS.parent), str(TESTS)]))
    assert build(lidc, tmp_path / "m3dsynth", "--engine", "ray") == 0
    assert not ray.is_initialized()
    assert files_of(tmp_path / "m3dsynth") == release
    assert sorted(path.name for path in tmp_path.glob("m3dsynth*")) == [
        "m3dsynth",
        "m3dsynth.report.html",
        "m3dsynth.report.json",
    ]


def test_an_address_where_no_cluster_is_is_an_error(lidc, tmp_path, monkeypatch, capsys):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        monkeypatch.setenv(engines.ADDRESS, f"127.0.0.1:{nobody.getsockname()[1]}")
        assert build(lidc, tmp_path / "m3dsynth", "--engine", "ray") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: no Ray cluster answers at RAY_ADDRESS=127.0.0.1:")
    assert error.count("\n") == 1


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster to which this process is connected, with one node."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS.parent), str(TESTS)]))
        patch.setenv(doomed_nodes.FOLDER, str(tmp_path_factory.mktemp("doomed")))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        head = {"num_cpus": 2, "num_gpus": 1, "include_dashboard": False, "_system_config": SOON}
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def engine(cluster, tmp_path):
    with marked(tmp_path, []) as ground, engines.ray_engine(1, ground) as engine:
        yield engine


def doom(cluster, stage):
    """Add a node that will be killed as soon as it holds work of a stage."""
    node = cluster.add_node(num_cpus=1, num_gpus=1, wait=False)
    doomed_nodes.doomed(stage, node.node_id).touch()

    def kill():
        deadline = time.monotonic() + doomed_nodes.LONGEST_S
        while not doomed_nodes.held(stage, node.node_id).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    return node.node_id, killer


def test_a_build_that_loses_nodes_while_they_read_and_fill_ends_the_same(cluster, lidc, release, tmp_path, monkeypatch):
    monkeypatch.setattr("builder.prepare._prepare_or_report", doomed_nodes.prepare_or_report)
    nodes = {stage: doom(cluster, stage) for stage in ("read", "fill")}
    cluster.wait_for_nodes()
    out = tmp_path / "m3dsynth"
    assert build(lidc, out, "--engine", "ray") == 0
    for stage, (node, killer) in nodes.items():
        killer.join()
        assert doomed_nodes.held(stage, node).exists()
        assert node not in [each["NodeID"] for each in ray.nodes() if each["Alive"]]
    assert files_of(out) == release
    assert json.loads((tmp_path / "m3dsynth.report.json").read_text())["left_out"] == []


def each(engine, function, count=8, **options):
    jobs = [(number, str(engine.ground.mark.parent)) for number in range(count)]
    return engine.each(function, jobs, description="counting", unit="number", **options)


def test_results_come_in_order_and_few_jobs_are_under_way(engine, monkeypatch):
    under_way = []

    def wait(references, **options):
        under_way.append(len(references))
        return original(references, **options)

    original = ray.wait
    monkeypatch.setattr(ray, "wait", wait)
    assert list(each(engine, doomed_nodes.later_if_even, 8)) == [number**2 for number in range(8)]
    assert max(under_way) == 2 * engines.cores()


def test_errors_arrive_as_they_were_raised(engine):
    found = each(engine, doomed_nodes.cannot_be_read, 1)
    with pytest.raises(SeriesError, match=r"^0: of no use; fetch it again$") as caught:
        list(found)
    assert type(caught.value) is SeriesError
    assert caught.value.finding.reason == "of no use"


def test_a_job_whose_process_dies_is_done_again(engine, tmp_path):
    assert list(each(engine, doomed_nodes.die_once, 5)) == [number**2 for number in range(5)]
    assert (tmp_path / "died").exists()


def test_a_job_whose_process_dies_every_time_is_left_out_or_named(engine, monkeypatch):
    monkeypatch.setattr(engines, "RETRIES", 0)
    assert list(each(engine, doomed_nodes.die, 1, lost=lambda number, folder: -1)) == [-1]
    with pytest.raises(WorkerLostError, match="counting: number 1 of 1: its process was lost 1 times"):
        list(each(engine, doomed_nodes.die, 1))


def test_a_crew_has_an_actor_for_each_gpu_whose_process_may_die(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(crews, "RETRIES", 1)
    jobs = [(number, str(tmp_path)) for number in range(5)]
    with engine.crew(engine.device("auto")) as crew:
        pid, visible, dealt = crew.ask(doomed_nodes.make_tool, doomed_nodes.tell_gpus)
        assert (visible, dealt) == ("0", ["0"])
        with pytest.raises(SeriesError, match="of no use"):
            list(crew.each(doomed_nodes.make_tool, doomed_nodes.cannot_be_read_with, jobs))
        assert list(crew.each(doomed_nodes.make_tool, doomed_nodes.die_once_with, jobs)) == [0, 1, 4, 9, 16]
        assert crew.ask(doomed_nodes.make_tool, doomed_nodes.tell_gpus)[0] != pid
        with pytest.raises(WorkerLostError, match="batch of cubes 1 of 1: its process was lost 2 times"):
            list(crew.each(doomed_nodes.make_tool, doomed_nodes.die, jobs[:1]))


def test_a_tool_that_ends_its_process_when_it_is_made_is_given_up(engine, monkeypatch):
    monkeypatch.setattr(crews, "RETRIES", 0)
    with engine.crew("cpu") as crew, pytest.raises(WorkerLostError, match="all 1 actors were lost 1 times before"):
        crew.ask(doomed_nodes.die, doomed_nodes.tell_gpus)


@pytest.mark.parametrize("word", ["cuda:1", "abacus"])
def test_ray_deals_out_gpus(engine, word):
    assert engine.device("cpu") == "cpu"
    assert engine.device("cuda") == "cuda"
    with pytest.raises(BuilderError, match=f"with --engine ray, device must be auto, cpu or cuda, got '{word}'"):
        engine.device(word)


def test_without_a_gpu_it_is_a_cpu(engine, monkeypatch):
    monkeypatch.setattr(engines, "gpus", lambda: 0)
    assert engine.device("auto") == "cpu"
    with pytest.raises(BuilderError, match="no node of the Ray cluster has a GPU"):
        engine.device("cuda")


def test_a_node_that_does_not_see_the_work_folder_is_named(engine, tmp_path):
    engine.ground.mark.rmdir()
    try:
        with pytest.raises(NodeError, match=rf"node .+ does not see the work folder {tmp_path}; put"):
            list(each(engine, doomed_nodes.die_once))
        with pytest.raises(NodeError, match="does not see the work folder"), engines.ray_engine(1, engine.ground):
            pass
    finally:
        engine.ground.mark.mkdir()
