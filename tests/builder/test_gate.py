import tiny_release
import yaml
from datasets import get_dataset_config_names, load_dataset

FIELD_TYPES = {"text", "checkbox", "date_picker", "country", "select"}
"""Those that the Hub knows."""


def front_matter(release):
    return yaml.safe_load((release / "README.md").read_text().split("---\n")[1])


def test_the_card_of_real_scans_asks_who_wants_them_and_for_what(tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_release, "built", lambda: BUILT_FROM_LIDC)
    release = tiny_release.write(tmp_path / "m3dsynth", tmp_path / "work")
    card = front_matter(release)
    assert "CT scans of patients" in card["extra_gated_prompt"]
    assert "Not for diagnosis" in card["extra_gated_prompt"]
    fields = card["extra_gated_fields"]
    assert {"Affiliation", "Intended use"} <= fields.keys()
    types = {name: each if isinstance(each, str) else each["type"] for name, each in fields.items()}
    assert set(types.values()) <= FIELD_TYPES
    assert sum(kind == "checkbox" for kind in types.values()) == 4
    assert "gated" not in card  # the text alone switches nothing on
    assert get_dataset_config_names(str(release))[0] == "all"
    assert load_dataset(str(release), "pix2pix-injection", split="train").num_rows == 1


BUILT_FROM_LIDC = tiny_release.built() | {"source": "LIDC-IDRI"}


def test_the_card_of_phantoms_asks_nothing(release_path):
    assert not [name for name in front_matter(release_path) if name.startswith("extra_gated")]
