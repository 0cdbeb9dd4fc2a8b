"""The malignancy classifier after Liao et al. 2019 (the winner of the Data Science Bowl 2017).

What differs from the paper: it is trained from scratch, on the readers' ratings of single nodules instead of on the
diagnoses of cases; places are known, so nothing searches for nodules; lungs are not cut out (``crop.py``). Its loss for
missed nodules is left out, which only stands in for labels of nodules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub import ModelHubMixin, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from jaxtyping import Float, Int64
from torch import Tensor, nn

from benchmarks.detectors.window import windowed
from benchmarks.errors import BenchmarkError
from benchmarks.malignancy.crop import STRIDE
from benchmarks.malignancy.nodule_net import DEPTH, NoduleNet
from benchmarks.malignancy.noisy_or import LEAK, log_benign
from benchmarks.malignancy.weights import FILE, Account, Weights, load, save
from m3dsynth_dataset.hub import is_repo_id

Cubes = Float[Tensor, "nodules side side side"]
"""HU, on voxels of the config's size, the nodule in the middle."""
LocationMaps = Float[Tensor, "nodules 3 cells cells cells"]
Logits = Float[Tensor, " nodules"]

CARD = """---
{{ card_data }}
---

# How malignant a lung nodule looks

A 3D network after Liao et al. 2019, trained from scratch on the readers' ratings of nodules, to measure whether edits
of CT scans change such a classifier's mind. `malignancy.safetensors` says in its metadata what it has learned from.

```python
from benchmarks.malignancy import MalignancyClassifier

classifier = MalignancyClassifier.from_pretrained("{{ repo_id | default('ORG/NAME', true) }}")
```

For research on the detection of manipulated medical images. Not for diagnosis.
"""


@dataclass(frozen=True)
class Config:
    """Sizes and schedule."""

    side: int
    """Voxels of a cube along each axis; a multiple of 16."""
    voxel_mm: float
    stem: int
    widths: tuple[int, int, int, int]
    blocks: tuple[int, int, int, int]
    back: tuple[int, int]
    back_blocks: int
    hidden: int
    """Of the layer between features and answer."""
    steps: int
    cases: int
    """Cases in a batch; every second is led by a malignant nodule."""
    nodules: int
    """Most nodules of a case; a place beside one of them comes in addition."""
    optimizer: Literal["sgd", "adamw"]
    """SGD with the published drops of its rate, or AdamW with a rate that falls like a cosine."""
    lr: float
    dropout: float
    """Of the answer's layers."""
    shift_mm: float
    """Largest shift of a nodule from the middle while training, along each axis."""

    def __post_init__(self) -> None:
        if self.side % DEPTH or self.side < DEPTH:
            raise BenchmarkError(f"a cube's side must be a multiple of {DEPTH} voxels, got {self.side}")
        if self.steps < 1 or self.cases < 2 or self.nodules < 1:
            raise BenchmarkError(
                f"a training needs at least 1 step of 2 cases of 1 nodule, got {self.steps} of {self.cases} of "
                f"{self.nodules}"
            )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Config:
        """The config of parsed JSON, which has lists where a config has tuples."""
        sizes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**sizes)


PRESETS = {
    "paper": Config(
        side=96, voxel_mm=1.0, stem=24, widths=(32, 64, 64, 64), blocks=(2, 2, 3, 3), back=(64, 128), back_blocks=3,
        hidden=64, steps=10_000, cases=12, nodules=4, optimizer="sgd", lr=0.01, dropout=0.5, shift_mm=3.0,
    ),
    "tiny": Config(
        side=32, voxel_mm=1.0, stem=8, widths=(16, 16, 32, 32), blocks=(1, 1, 1, 1), back=(32, 32), back_blocks=1,
        hidden=16, steps=90, cases=4, nodules=1, optimizer="adamw", lr=1e-3, dropout=0.2, shift_mm=3.0,
    ),
}  # fmt: skip
"""``paper``, the published size and learning rates; ``tiny``, which sees 32 mm, and learns in a quarter of a minute on
one core."""


class MalignancyClassifier(
    nn.Module,
    ModelHubMixin,
    library_name="m3dsynth",
    tags=["medical-imaging", "computed-tomography", "lung-nodule"],
    license="apache-2.0",
    model_card_template=CARD,
):
    """How malignant the nodule in the middle of a cube looks, and a case by all of its nodules.

    ``save_pretrained``, ``push_to_hub`` and ``from_pretrained`` (a folder, a file, or a repository of the Hub) are
    those of huggingface_hub.

    Args:
        config: Sizes and schedule.
        account: What it has learned from; one without it cannot be saved.
    """

    def __init__(self, config: Config, account: Account | None = None) -> None:
        super().__init__()
        self.config, self.account = config, account
        self.net = NoduleNet(config.stem, config.widths, config.blocks, config.back, config.back_blocks)
        self.head = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(self.net.features, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, 1),
        )
        self.leak = nn.Parameter(torch.tensor(LEAK))
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # a third faster on a CPU

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.leak.device

    def features(self, hu: Cubes, locations: LocationMaps) -> Float[Tensor, "nodules features"]:
        """What the network says of the middle: the maxima over its 2 x 2 x 2 cells.

        Args:
            hu: Cubes.
            locations: Where their cells lie in the scan.
        """
        cells: Tensor = self.net(2 * windowed(hu)[:, None] - 1, locations)
        middle = slice(self.config.side // STRIDE // 2 - 1, self.config.side // STRIDE // 2 + 1)
        return cells[:, :, middle, middle, middle].amax((2, 3, 4))

    def forward(self, hu: Cubes, locations: LocationMaps) -> Logits:
        """Logit of malignancy of each nodule; see :meth:`features`."""
        answer: Logits = self.head(self.features(hu, locations))[:, 0]
        return answer

    def log_benign(self, logits: Logits, cases: Int64[Tensor, " nodules"], count: int) -> Float[Tensor, " {count}"]:
        """Logarithm of the probability that a case is benign, by the leaky noisy-or over its nodules.

        Args:
            logits: Of :meth:`forward`.
            cases: Which case each nodule is of.
            count: Cases.
        """
        return log_benign(logits, cases, self.leak, count)

    def _save_pretrained(self, save_directory: Path) -> None:
        """The mixin's part of ``save_pretrained``: ``malignancy.safetensors``."""
        if self.account is None:
            raise BenchmarkError("the classifier does not know what it has learned from: it cannot be saved")
        save(save_directory / FILE, Weights(self.account, self.state_dict()))

    @classmethod
    def from_file(cls, path: Path) -> MalignancyClassifier:
        """The classifier of a file of weights, ready to judge, on the CPU.

        Raises:
            BenchmarkError: If the file is missing or broken, or of something else.
        """
        kept = load(path)
        try:
            made = cls(Config.from_json(kept.account.config), kept.account)
            made.load_state_dict(dict(kept.tensors))
        except (TypeError, RuntimeError, ValueError) as error:
            raise BenchmarkError(
                f"{path}: does not fit the classifier of this version ({str(error).splitlines()[0]})"
            ) from error
        return made.eval()

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        **config_of_the_repository: Any,  # noqa: ANN401 (the file of weights has its own)
    ) -> MalignancyClassifier:
        """The mixin's part of ``from_pretrained(folder or repository)``."""
        if Path(model_id).is_dir():
            return cls.from_file(Path(model_id) / FILE)
        path = hf_hub_download(
            model_id,
            FILE,
            revision=revision,
            cache_dir=cache_dir,
            force_download=force_download,
            local_files_only=local_files_only,
            token=token,
        )
        return cls.from_file(Path(path))


def opened(word: str) -> MalignancyClassifier:
    """A classifier that a user names: a file, a folder, or a repository of the Hub.

    Raises:
        BenchmarkError: If there is none.
    """
    path = Path(word).expanduser()
    if path.exists() or not is_repo_id(word):
        return MalignancyClassifier.from_file(path / FILE if path.is_dir() else path)
    try:
        return MalignancyClassifier.from_pretrained(word)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise BenchmarkError(
            f"{word}: neither a file or folder here, nor to be had from the Hub ({str(error).splitlines()[0]})"
        ) from error
