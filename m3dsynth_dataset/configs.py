"""Configs by name: which are the control's, in which order they stand, and whose rows each has."""

from collections.abc import Iterable

from m3dsynth_dataset.schema import ALL, CONTROL, PRISTINE


def is_control(config: str) -> bool:
    """Whether a config is one of the control's; not, if a generator's name only begins like it."""
    return config.startswith(f"{CONTROL}-")


def in_order(configs: Iterable[str]) -> list[str]:
    """Pristine first, the control last, and the generators by name between them."""
    return sorted(configs, key=lambda name: (name != PRISTINE, is_control(name), name))


def config_members(configs: Iterable[str]) -> dict[str, list[str]]:
    """Every config that can be loaded, with those whose rows it has: the default, then each by itself."""
    names = in_order(configs)
    return {ALL: [name for name in names if not is_control(name)], **{name: [name] for name in names}}
