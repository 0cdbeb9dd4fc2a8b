import pytest
import yaml
from huggingface_hub import parse_eval_result_entries
from leaderboard_site import GENERATORS, document, scored, write_results

from benchmarks.leaderboard import read_entries
from benchmarks.leaderboard.eval_results import eval_results
from benchmarks.sealing.evaluation import sealed_evaluation
from builder.benchmark import render_benchmark

COUNTS = {("pristine", "test"): 3} | {
    (f"{generator}-{manipulation}", "test"): 3
    for generator in (*GENERATORS, "identity")
    for manipulation in ("injection", "removal")
}


def exported(tmp_path, **changes):
    entry = read_entries([write_results(tmp_path, document(**changes))])[0]
    text = eval_results(entry, "org/m3dsynth")
    return entry, text and parse_eval_result_entries(yaml.safe_load(text))


def test_each_task_of_the_data_sets_own_file_gets_the_number_that_it_asks_for(tmp_path):
    entry, found = exported(tmp_path, metadata={"paper": "https://example.org/p"})
    tasks = [task["id"] for task in yaml.safe_load(render_benchmark(COUNTS, {"source": "phantom"}))["tasks"]]
    assert [each.task_id for each in found] == tasks
    for each in found:
        all_of_it = each.task_id == "all"
        expected = entry.figure("accuracy", "overall") if all_of_it else entry.figure("f1", each.task_id)
        assert each.value == expected.value
        assert (each.dataset_id, each.source_url) == ("org/m3dsynth", "https://example.org/p")


def test_a_number_comes_with_the_control_the_release_and_the_scorer(tmp_path):
    entry, found = exported(tmp_path, card=scored(fires=5), metadata={"external_data": "more scans"})
    assert f"the control: {100 * entry.control.value:.1f} %" in found[0].notes
    for text in (entry.terms.digest[:16], f"scorer {entry.terms.scorer}", "phantoms", "external data: more scans"):
        assert text in found[0].notes


def test_of_a_sealed_test_there_is_one_task(tmp_path):
    entry, found = exported(tmp_path, labels="ab" * 32)
    evaluation = yaml.safe_load(sealed_evaluation(render_benchmark(COUNTS, {"source": "phantom"})))
    assert [each.task_id for each in found] == [task["id"] for task in evaluation["tasks"]]
    assert found[0].value == entry.figure("f1", "overall").value


@pytest.mark.parametrize("change", [{"protocol": "slab"}, {"split": "validation"}])
def test_other_protocols_and_splits_are_no_task_of_the_hub(change, tmp_path):
    assert exported(tmp_path, **change)[1] is None


def test_an_address_that_is_none_is_no_source(tmp_path):
    _, found = exported(tmp_path, metadata={"url": "javascript:alert(1)"})
    assert found[0].source_url is None
