import numpy as np
import pytest

from generation.equalisation import Equalisation
from generation.identity import Identity
from generation.inpainter import Inpainter
from generation.zoo import load_inpainter


class Mine:
    name = "mine"
    hidden = np.ones((32, 32, 32), dtype=np.bool_)
    equalisation = Equalisation.linear()
    weights_sha256 = ""

    def inpaint(self, masked, seeds):
        return masked


@pytest.mark.parametrize("inpainter", [Mine(), Identity()])
def test_a_class_that_has_the_names_is_an_inpainter(inpainter):
    assert isinstance(inpainter, Inpainter)


def test_a_trained_model_is_an_inpainter(weights):
    assert isinstance(load_inpainter(weights), Inpainter)


def test_an_object_without_them_is_none():
    assert not isinstance(object(), Inpainter)
