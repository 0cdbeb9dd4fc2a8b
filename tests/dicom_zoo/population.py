"""Who lives in the zoo: every kind alone, and then any number of combinations, drawn from a seed."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dicom_zoo import damaged_files  # noqa: F401 - whose flaws are among FLAWS
from dicom_zoo.flaws import FLAWS
from dicom_zoo.harmless import PIXELS, RESCALE, SYNTAXES, WITH_PIXELS
from dicom_zoo.specimen import UID_ROOT, Specimen
from dicom_zoo.surroundings import COMPANY, HEADERS, LAYOUTS, NAMES

Choice = dict[str, str]
"""Of kinds, by group."""
GROUPS = {"header": HEADERS, "rescale": RESCALE, "names": NAMES, "layout": LAYOUTS, "company": COMPANY}
"""Of which any may meet any."""
CHANCE = 0.6
"""That a combination has a kind of a group."""
CLASHES = frozenset({("long_names", "long_path")})
"""Together beyond what a path can be."""


def write_zoo(root: Path, count: int, seed: int) -> list[Specimen]:
    """Write the zoo, and give its inhabitants. Every kind is in it, if there is room."""
    rng = np.random.default_rng(seed)
    specimens = [_specimen(root, number, choice, seed) for number, choice in enumerate(_choices(count, rng))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's about what is odd on purpose
        for specimen in specimens:
            specimen.write()
    return [each for specimen in specimens for each in (specimen, *specimen.companions)]


def kinds() -> set[str]:
    """The names of all kinds."""
    groups = [PIXELS, SYNTAXES, WITH_PIXELS, FLAWS, *GROUPS.values()]
    return {name for group in groups for name in group} | {"fuzzed"}


def _choices(count: int, rng: np.random.Generator) -> Iterator[Choice]:
    first = [*_crowded(rng), *({"flaw": name} for name in FLAWS)]
    yield from first[:count]
    for number in range(count - len(first)):
        choice = _drawn(rng)
        if number % 3 == 0:
            choice = {name: kind for name, kind in choice.items() if name == "names"} | {"fuzzed": "fuzzed"}
        elif number % 3 == 1:
            # What is wrong must be found whatever the files are called and wherever they lie.
            choice = {name: kind for name, kind in choice.items() if name in ("header", "layout", "company")}
            choice["flaw"] = str(rng.choice(sorted(FLAWS)))
        yield choice


def _crowded(rng: np.random.Generator) -> Iterator[Choice]:
    """Every harmless kind once, as many at a time as there are groups."""
    pixels = [*({"pixels": name} for name in PIXELS), *({"with_pixels": name} for name in WITH_PIXELS)]
    pixels += [{"syntax": name, "pixels": str(rng.choice(sorted(fits)))} for name, (_, fits) in SYNTAXES.items()]
    others = {name: list(group) for name, group in GROUPS.items()}
    for number, choice in enumerate(pixels):
        yield choice | {name: group[number] for name, group in others.items() if number < len(group)}


def _drawn(rng: np.random.Generator) -> Choice:
    choice = {}
    if rng.random() < 0.3:
        choice["with_pixels"] = str(rng.choice(list(WITH_PIXELS)))
    else:
        choice["syntax"] = str(rng.choice(list(SYNTAXES)))
        choice["pixels"] = str(rng.choice(sorted(SYNTAXES[choice["syntax"]][1])))
    for name, group in GROUPS.items():
        if rng.random() < CHANCE:
            choice[name] = str(rng.choice(list(group)))
    if (choice.get("names"), choice.get("layout")) in CLASHES:
        del choice["layout"]
    return choice


def _specimen(root: Path, number: int, choice: Choice, seed: int) -> Specimen:
    folder = root / f"{number:03d}-{'-'.join(choice.values())}"[:150]
    rng = np.random.default_rng([seed, number])
    it = Specimen(folder, f"{UID_ROOT}{seed}.{number + 1}", f"PHANTOM-{number:04d}", rng, list(choice.values()))
    for group, kind in choice.items():
        if group == "fuzzed":
            it.is_fuzzed = True
            it.after.append(_fuzz)
        else:
            _TRAITS[group][kind](it)
    return it


def _fuzz(it: Specimen) -> None:
    """A few bytes of a header, anywhere."""
    path = it.middle.path
    content = bytearray(path.read_bytes())
    for place in it.rng.integers(128, len(content) - 40 * 32 * 2 - 12, int(it.rng.integers(1, 4))):
        content[place] = it.rng.integers(0, 256)
    path.write_bytes(content)


_TRAITS = GROUPS | {
    "pixels": PIXELS,
    "syntax": {name: trait for name, (trait, _) in SYNTAXES.items()},
    "with_pixels": WITH_PIXELS,
    "flaw": FLAWS,
}
