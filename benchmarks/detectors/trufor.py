"""TruFor (Guillaro et al., CVPR 2023): the picture and its noise judged together, with a map of how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detectors.fusion import Fusion
from benchmarks.detectors.imagenet import as_imagenet
from benchmarks.detectors.mix_transformer import MixTransformer
from benchmarks.detectors.mlp_decoder import MlpDecoder
from benchmarks.detectors.network import Answer, Network, Recipe, Slab, SlabMask
from benchmarks.detectors.noiseprint import Noiseprint
from benchmarks.detectors.noiseprint_training import PRESETS as NOISEPRINT_PRESETS
from benchmarks.detectors.noiseprint_training import learn_from_release
from benchmarks.detectors.rectification import Rectification
from benchmarks.detectors.trufor_loss import confidence_loss, detection_loss, map_loss
from benchmarks.detectors.weighted_pooling import weighted_statistics
from benchmarks.detectors.window import windowed

if TYPE_CHECKING:
    from m3dsynth_dataset.release import Release

Phase = Literal["localisation", "detection"]
DETECTION_WEIGHT = 0.5
"""Beside the confidence's 1."""
POWER = 0.9
"""Of the polynomial that the learning rate falls with."""
MOMENTUM = 0.9


@dataclass(frozen=True)
class TruForConfig(Recipe):
    """Sizes and rates; the defaults are the paper's, with the body of MiT-B2."""

    widths: tuple[int, ...] = (64, 128, 320, 512)
    """Channels of the stages of each branch."""
    depths: tuple[int, ...] = (3, 4, 6, 3)
    heads: tuple[int, ...] = (1, 2, 5, 8)
    """Of the stages' attention, and of their fusion's."""
    reductions: tuple[int, ...] = (8, 4, 2, 1)
    drop_path: float = 0.1
    decoder_width: int = 512
    detection_width: int = 128
    detection_dropout: float = 0.5
    noise_layers: int = 17
    noise_features: int = 64
    noise_preset: str = "paper"
    """How the extractor of noise is trained: a name of ``noiseprint_training.PRESETS``."""
    backbone: str | None = None
    """Where both branches begin: a name on the Hub or a folder, such as ``nvidia/mit-b2``; None for random weights."""
    localisation: float = 0.5
    """Share of the steps in which the map is learned; in the others, confidence and detection."""
    tampered: float = 0.7
    """Share of tampered slices that the weights of the detection's loss take for granted."""
    optimiser: Literal["sgd", "adamw"] = "sgd"
    weight_decay: float = 5e-4


class TwoBranches(nn.Module):
    """Picture and noise, each through stages of its own; after each stage they are rectified by each other and fused.

    The rectified maps are what the next stages see.
    """

    def __init__(self, config: TruForConfig) -> None:
        super().__init__()
        sizes = config.widths, config.depths, config.heads, config.reductions
        self.image = MixTransformer(*sizes, drop_path=config.drop_path)
        self.noise = MixTransformer(*sizes, drop_path=config.drop_path)
        self.rectify = nn.ModuleList(Rectification(width) for width in config.widths)
        self.fuse = nn.ModuleList(Fusion(*sizes) for sizes in zip(config.widths, config.heads, strict=True))

    def forward(
        self, image: Float[Tensor, "batch 3 height width"], noise: Float[Tensor, "batch 3 height width"]
    ) -> list[Tensor]:
        """The fused map of each stage, 1/4, 1/8, 1/16 and 1/32 of the size."""
        fused = []
        stages = zip(self.image.stages, self.noise.stages, self.rectify, self.fuse, strict=True)
        for of_image, of_noise, rectify, fuse in stages:
            image, noise = rectify(of_image(image), of_noise(noise))
            fused.append(fuse(image, noise))
        return fused


class TruFor(Network[TruForConfig]):
    """68.7 million parameters, as published.

    Two MiT-B2 have 48.39 of them, rectification and fusion 16.59, two decoders 1.58 each, the extractor of noise
    0.557, the detector 0.001.

    Three trainings follow each other. First the extractor of noise, in :meth:`prepare`; it is frozen from then on.
    Then branches, fusion and the decoder of the map. Then, with all that frozen and as in a prediction, the decoder of
    the confidence and the detector: confidence is to be the probability that the map gives to the truth. :meth:`at`
    goes from the second to the third. Until then the score is the maximum of the map.

    Parts that are not being learned get no gradient at all (None): an optimiser leaves them alone, and several
    processes need ``find_unused_parameters``.

    The authors ignore a band of 7 pixels inside and 5 outside the edge of a mask when they train the confidence. It is
    left out here: of the 16 to 35 pixels of an inpainted core it would leave a few. An image is tampered if any pixel
    is, not if more than 3 are. Their augmentations (scale, JPEG) are none for CT. Steps: 100 epochs, for each of the
    two phases, of the 3,600 slices that a generator's training set gives.
    """

    name: ClassVar[str] = "trufor"
    presets: ClassVar[dict[str, Recipe]] = {
        "paper": TruForConfig(steps=40_000, batch=18, crop=512, lr=5e-3),
        # From random weights, transformers learn nothing from SGD in so few steps.
        "tiny": TruForConfig(
            steps=700,
            batch=8,
            crop=96,
            lr=4e-3,
            widths=(24, 32, 48, 64),
            depths=(1, 1, 1, 1),
            heads=(1, 2, 3, 4),
            drop_path=0.0,
            decoder_width=32,
            detection_width=32,
            detection_dropout=0.1,
            noise_layers=6,
            noise_features=16,
            noise_preset="tiny",
            localisation=0.8,
            tampered=0.5,
            optimiser="adamw",
            weight_decay=1e-2,
        ),
    }
    detects: Tensor

    def __init__(self, config: TruForConfig) -> None:
        super().__init__(config)
        self.noiseprint = Noiseprint(config.noise_layers, config.noise_features).requires_grad_(False)
        self.branches = TwoBranches(config)
        self.map = MlpDecoder(config.widths, config.decoder_width, 2)
        self.confidence = MlpDecoder(config.widths, config.decoder_width, 1)
        self.detector = nn.Sequential(
            nn.Linear(8, config.detection_width),
            nn.ReLU(),
            nn.Dropout(config.detection_dropout),
            nn.Linear(config.detection_width, 1),
        )
        self.phase: Phase = "localisation"
        self.register_buffer("detects", torch.tensor(False))  # goes with the weights: is the detector of use yet?

    def prepare(self, release: Release, *, seed: int) -> None:
        """What comes before the first step: the branches' weights, and the extractor of noise, which is trained here.

        Args:
            release: Whose pristine scans of the split ``train`` it learns from.
            seed: Of the patches and what is done to them.

        Raises:
            ValueError: If the backbone's sizes are others, or the release has no pristine scan to train on.
            OSError: If there is no such backbone.
        """
        if self.config.backbone is not None:
            self.branches.image.load_pretrained(self.config.backbone)
            self.branches.noise.load_pretrained(self.config.backbone)
        learn_from_release(self.noiseprint, release, NOISEPRINT_PRESETS[self.config.noise_preset], seed=seed)
        self.noiseprint.requires_grad_(False)
        self.train(self.training)

    def is_ready(self, progress: float) -> bool:
        """Not before the detection head has learned."""
        return progress > self.config.localisation

    def at(self, progress: float) -> None:
        """Go into the phase of the training that a share of its steps (0 to 1) belongs to."""
        phase: Phase = "localisation" if progress < self.config.localisation else "detection"
        self.detects.fill_(phase == "detection")
        if phase != self.phase:
            self.phase = phase
            self.train(self.training)

    def train(self, mode: bool = True) -> TruFor:
        """Like any module's, but parts that are not being learned stay as they are in a prediction."""
        super().train(mode)
        learning = self.learning()
        for part in self.children():
            if part not in learning:
                part.eval()
        return self

    def learning(self) -> list[nn.Module]:
        """What this phase teaches."""
        if self.phase == "localisation":
            return [self.branches, self.map]
        return [self.confidence, self.detector]

    def forward(self, hu: Slab) -> Answer:
        """Judge slices of 29 x 29 pixels or more.

        Raises:
            ValueError: If they are smaller.
        """
        self._check_size(hu)
        grad = torch.is_grad_enabled()
        with torch.set_grad_enabled(grad and self.phase == "localisation"):
            stages = self._stages(windowed(hu))
            pristine, forged = _enlarged(self.map(stages), hu).chunk(2, dim=1)
            difference = forged - pristine
        with torch.set_grad_enabled(grad and self.phase == "detection"):
            confidence = _enlarged(self.confidence(stages), hu)
            detected = self._detected(confidence, difference)
        score = torch.where(self.detects, detected, difference.amax(dim=(1, 2, 3)))
        return Answer(score, difference, {"confidence": confidence})

    def loss(self, answer: Answer, mask: SlabMask) -> Float[Tensor, ""]:
        """Of the map, or of confidence and detection, as the phase has it."""
        assert answer.map is not None
        truth = mask.to(answer.map.dtype)
        if self.phase == "localisation":
            return map_loss(answer.map, truth)
        sure = confidence_loss(answer.extra["confidence"], answer.map, truth)
        return sure + DETECTION_WEIGHT * detection_loss(answer.score, truth, self.config.tampered)

    def optimizer(self) -> torch.optim.Optimizer:
        """SGD with momentum (AdamW in ``tiny``) for both phases; norms and biases do not decay."""
        parameters = [parameter for parameter in self.parameters() if parameter.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.config.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        if self.config.optimiser == "sgd":
            return torch.optim.SGD(groups, self.config.lr, momentum=MOMENTUM)
        return torch.optim.AdamW(groups, self.config.lr)

    def learning_rate(self, progress: float) -> float:
        """Falls to 0 in each phase."""
        first = self.config.localisation
        done = progress / first if progress < first else (progress - first) / (1 - first)
        return float((1 - done) ** POWER)

    def _stages(self, picture: Float[Tensor, "batch 1 height width"]) -> list[Tensor]:
        with torch.no_grad():
            noise = self.noiseprint(picture.expand(-1, 3, -1, -1))
        fused: list[Tensor] = self.branches(as_imagenet(picture), noise.expand(-1, 3, -1, -1))
        return fused

    def _detected(
        self, confidence: Float[Tensor, "batch 1 height width"], difference: Float[Tensor, "batch 1 height width"]
    ) -> Float[Tensor, " batch"]:
        """The detector's logit: places where the map can be trusted count more."""
        statistics = [
            weighted_statistics(confidence),
            weighted_statistics(difference, functional.logsigmoid(confidence)),
        ]
        logit: Tensor = self.detector(torch.cat(statistics, dim=1))
        return logit.squeeze(1)

    def _check_size(self, hu: Slab) -> None:
        height, width = hu.shape[2:]
        smallest = self.branches.image.smallest
        if min(height, width) < smallest:
            raise ValueError(f"trufor needs slices of at least {smallest} x {smallest} pixels, got {height} x {width}")


def _enlarged(logits: Float[Tensor, "batch classes h w"], hu: Slab) -> Float[Tensor, "batch classes height width"]:
    return functional.interpolate(logits.float(), hu.shape[2:], mode="bilinear")
