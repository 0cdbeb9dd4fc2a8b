import sys
import textwrap

import pytest

from generation.choice import choose
from generation.errors import GenerationError
from generation.identity import Identity


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of a user's own, in the folder the user is in."""
    (tmp_path / "mine.py").write_text(
        textwrap.dedent(
            """
            from generation.identity import Identity
            from generation.pix2pix import Pix2Pix

            class Plain(Identity):
                def __init__(self, manipulation):
                    Identity.__init__(self)
                    object.__setattr__(self, "name", "plain-" + manipulation)

            class Again(Pix2Pix):
                name = "again"

            class Shouting(Plain):
                def __init__(self, manipulation):
                    super().__init__(manipulation)
                    object.__setattr__(self, "name", "LOUD!")

            class Impostor(Plain):
                def __init__(self, manipulation):
                    super().__init__(manipulation)
                    object.__setattr__(self, "name", "identity")

            class Wants:
                def __init__(self):
                    pass

            class Lacks:
                def __init__(self, manipulation):
                    self.name = "lacks"

            number = 7
            """
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "mine"
    sys.modules.pop("mine", None)


def pairs(choices):
    return [(choice.name, choice.manipulation) for choice in choices]


CONTROL = [("identity", "injection"), ("identity", "removal")]


def test_all_weights_of_a_folder_are_used_and_the_control(weights):
    choices = choose(weights.parent)
    assert pairs(choices) == [*CONTROL, ("pix2pix", "injection")]
    assert choices[-1].load().weights_sha256
    assert isinstance(choices[0].load(), Identity)


def test_without_weights_there_is_the_control(tmp_path):
    assert pairs(choose(tmp_path / "none")) == CONTROL
    assert pairs(choose(tmp_path, ["identity"])) == CONTROL


def test_diffusion_under_another_name_uses_the_weights_of_dm(tmp_path):
    (tmp_path / "dm-removal.safetensors").touch()
    choices = choose(tmp_path, ["dm-ddim50", "dm"])
    assert pairs(choices) == [("dm", "removal"), ("dm-ddim50", "removal"), *CONTROL]
    assert {choice.weights for choice in choices} == {tmp_path / "dm-removal.safetensors", None}


def test_a_class_of_ones_own_is_found_by_its_path(own, tmp_path):
    choices = choose(tmp_path, [f"{own}:Plain"])
    assert pairs(choices) == [*CONTROL, ("plain-injection", "injection"), ("plain-removal", "removal")]
    assert choices[-1].load().name == "plain-removal"


def test_a_trained_class_of_ones_own_wants_its_weights(own, weights):
    with pytest.raises(GenerationError, match=f"'{own}:Again' has no weights .*train {own}:Again injection"):
        choose(weights.parent, [f"{own}:Again"])


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("Shouting", "name must be small letters, digits and single hyphens, got 'LOUD!'"),
        ("Impostor", "must have names of their own, got identity more than once"),
        ("Wants", "must take the manipulation as its only argument"),
        ("Lacks", "is none: it lacks hidden, equalisation, weights_sha256, inpaint"),
        ("number", "must be a class or a function that makes one, got 7"),
        ("Nothing", "cannot be imported"),
    ],
)
def test_a_class_that_does_not_fit_is_refused(own, tmp_path, word, message):
    with pytest.raises(GenerationError, match=message):
        choose(tmp_path, [f"{own}:{word}"])


def test_an_unknown_name_or_module_is_refused(tmp_path):
    with pytest.raises(GenerationError, match="did you mean 'dm-ddim50'"):
        choose(tmp_path, ["dm-ddim5"])
    with pytest.raises(GenerationError, match=r"'no\.such:Thing' cannot be imported"):
        choose(tmp_path, ["no.such:Thing"])


def test_a_name_without_weights_says_how_to_make_them(tmp_path):
    with pytest.raises(GenerationError, match=r"inpainter 'dm-ddim50' has no weights .*generation train dm injection"):
        choose(tmp_path, ["dm-ddim50"])
