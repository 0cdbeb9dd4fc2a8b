"""``python -m builder estimate``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from builder.errors import BuilderError


@dataclass(frozen=True)
class Estimate:
    """Estimate how long the full regeneration takes here, from the rates of a build of some real scans.

    744 series and 8,577 edits; generators are timed untrained. The GPU's column takes the same rates but for sampling.

    Example: python -m builder estimate real/m3dsynth
    """

    release: Positional[Path]
    """A release that was built here, its report beside it."""
    preset: Literal["paper", "tiny"] = "paper"
    """Of the generators."""
    gpu_tflops: float = 320
    """Arithmetic per second, in 10^12, that sampling is taken to reach on a GPU; 320 is 40 % of what one H200 does."""

    def run(self) -> None:
        """Print the table."""
        from builder.perf.estimate import estimate, table

        if self.gpu_tflops <= 0:
            raise BuilderError(f"--gpu-tflops must be above 0, got {self.gpu_tflops:g}")
        print(table(estimate(self.release, self.preset, self.gpu_tflops * 1e12)))
