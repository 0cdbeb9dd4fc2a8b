from m3dsynth_dataset.configs import config_members, in_order, is_control

NAMES = ["pix2pix-removal", "identity-injection", "dm-injection", "identity2-injection", "pristine"]


def test_a_generator_whose_name_begins_like_the_control_is_not_the_control():
    assert is_control("identity-injection")
    assert not is_control("identity2-injection")


def test_pristine_stands_first_and_the_control_last():
    assert in_order(NAMES) == [
        "pristine", "dm-injection", "identity2-injection", "pix2pix-removal", "identity-injection",
    ]  # fmt: skip


def test_the_default_is_everything_but_the_control():
    members = config_members(NAMES)

    assert next(iter(members)) == "all"
    assert members["all"] == ["pristine", "dm-injection", "identity2-injection", "pix2pix-removal"]
    assert members["identity-injection"] == ["identity-injection"]
