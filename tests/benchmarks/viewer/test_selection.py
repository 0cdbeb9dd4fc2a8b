import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.viewer.selection import choose, slugs


def ids(entries):
    return [entry.sample_id for entry in entries]


def test_all_samples_are_shown_a_patient_after_the_other_the_control_beside_what_it_controls(release):
    assert ids(choose(release)) == [
        "pristine/scan-1", "pix2pix/inj_1", "identity/inj_1", "pristine/scan-2", "pix2pix/rem_1", "identity/rem_1",
    ]  # fmt: skip


def test_a_split_and_a_config_choose(release):
    assert ids(choose(release, split="test")) == ["pristine/scan-2", "pix2pix/rem_1", "identity/rem_1"]
    assert ids(choose(release, ["identity-removal", "pristine"], "test")) == ["pristine/scan-2", "identity/rem_1"]
    assert ids(choose(release, ["all"], "test")) == ["pristine/scan-2", "pix2pix/rem_1"]


def test_a_sample_named_twice_is_shown_once(release):
    assert ids(choose(release, ["pix2pix-removal", "all"], "test")) == ["pristine/scan-2", "pix2pix/rem_1"]


def test_a_limit_takes_from_every_config_in_turn(release):
    assert {entry.config for entry in choose(release, limit=5)} == set(release.configs)
    assert len(choose(release, limit=2)) == 2
    assert ids(choose(release, ["all"], "test", limit=2)) == ["pristine/scan-2", "pix2pix/rem_1"]


def test_sites_stand_in_the_order_of_their_numbers(release, tmp_path, rewrite):
    number = {"pix2pix/inj_1": "pix2pix/inj_12", "identity/inj_1": "pix2pix/inj_9"}
    changed = rewrite(release, tmp_path / "m3dsynth", lambda row: {"sample_id": number.get(row["sample_id"], "a/b")})
    assert ids(choose(changed, ["pix2pix-injection", "identity-injection"])) == ["pix2pix/inj_9", "pix2pix/inj_12"]


@pytest.mark.parametrize(
    ("configs", "split", "limit", "said"),
    [
        (["dm-injection"], "test", None, r"no rows of dm-injection, test; it has .*pix2pix-injection \(train\)"),
        (["pix2pix-injection"], "test", None, r"no rows of pix2pix-injection, test; it has .*pix2pix-removal \(test\)"),
        ([], "validation", None, "no rows of split 'validation'; it has test, train"),
        ([], "test", 0, "--limit must be >= 1 sample, got 0"),
    ],
)
def test_a_choice_of_nothing_is_refused_with_what_there_is(release, configs, split, limit, said):
    with pytest.raises(BenchmarkError, match=said):
        choose(release, configs, split, limit)


def test_slugs_are_fit_for_files_and_addresses_and_no_two_are_alike():
    names = ["dm/inj_1", "dm_inj_1", "DM/inj_1", "../../etc", "a b<c>&\"'#?%", "", "é", "x" * 300]
    made = list(slugs(names))
    assert made == ["dm_inj_1", "dm_inj_1~2", "DM_inj_1~3", "etc", "a_b_c", "sample", "sample~2", "x" * 100]
