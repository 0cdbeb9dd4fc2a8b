from dataclasses import replace

import pytest

from generation import weights as files
from generation.errors import GenerationError
from generation.pix2pix import Pix2Pix
from generation.zoo import INPAINTERS, discover, load_inpainter, trainable


def test_every_inpainter_has_the_name_it_is_found_by():
    assert {name: found.name for name, found in INPAINTERS.items()} == {name: name for name in INPAINTERS}


def test_weights_of_another_kind_are_refused(weights):
    with pytest.raises(GenerationError, match="has weights of inpainter 'pix2pix', 'dm-ddim50' needs those of 'dm'"):
        load_inpainter(weights, name="dm-ddim50")


def test_a_misspelt_name_gets_a_hint():
    with pytest.raises(GenerationError, match=r"unknown inpainter 'pix2pixx'; did you mean 'pix2pix'\?"):
        trainable("pix2pixx")


def test_identity_has_nothing_to_learn():
    with pytest.raises(GenerationError, match="'identity' has nothing to learn"):
        trainable("identity")


def test_weights_say_which_inpainter_they_are(weights, tmp_path):
    assert isinstance(load_inpainter(weights.rename(tmp_path / "x.safetensors").rename(weights)), Pix2Pix)


@pytest.mark.parametrize("config", [{"width": 9}, {"colour": "red"}])
def test_weights_that_do_not_fit_the_model_are_refused(weights, tmp_path, config):
    kept = files.load(weights)
    account = replace(kept.account, config=dict(kept.account.config) | config)
    files.save(tmp_path / "x.safetensors", replace(kept, account=account))
    with pytest.raises(GenerationError, match="does not fit inpainter 'pix2pix' of this version"):
        load_inpainter(tmp_path / "x.safetensors")


def test_discover_finds_name_and_manipulation(tmp_path):
    for name in ("dm-ddim50-removal", "pix2pix-injection", "notes", "pix2pix-swap"):
        (tmp_path / f"{name}.safetensors").touch()
    assert list(discover(tmp_path)) == [("dm-ddim50", "removal"), ("pix2pix", "injection")]


def test_discover_wants_a_folder(tmp_path):
    with pytest.raises(GenerationError, match="no folder of weights there"):
        discover(tmp_path / "none")
