"""The large vessels, the airways down to the lungs, and the gullet, as courses in mm of the model body."""

from dataclasses import dataclass

import numpy as np

from builder.phantom.shapes import Course, course


@dataclass(frozen=True)
class Vasculature:
    """Courses of the mediastinum; z up from the carina, y backwards, x to the patient's left."""

    blood: tuple[Course, ...]
    airways: tuple[Course, ...]
    gullet: Course

    @property
    def central(self) -> tuple[Course, ...]:
        """Everything that the lungs make room for."""
        return (*self.blood, *self.airways, self.gullet)


AORTA = course(
    (-42, -28, -2, 15), (-10, -32, -15, 15.5), (14, -28, -14, 14.5), (28, -20, 2, 13.5), (33, -4, 15, 13),
    (32, 12, 22, 12.5), (24, 28, 27, 12.5), (6, 38, 28, 12.3), (-40, 40, 27, 12), (-100, 36, 18, 11.5),
    (-185, 28, 6, 10.5),
)  # fmt: skip
PULMONARY_TRUNK = course((-40, -48, 14, 13), (-18, -38, 20, 13.5), (-5, -20, 24, 12.5))
LEFT_PULMONARY = course((-5, -20, 24, 12.5), (2, -2, 36, 10), (-4, 12, 46, 7.5))
RIGHT_PULMONARY = course((-6, -18, 20, 11.5), (-9, -7, -5, 10.5), (-13, -3, -30, 9.5), (-20, 2, -46, 7.5))
CAVA = course((48, -24, -24, 7.5), (10, -20, -30, 8.5), (-34, -15, -33, 9.5))
LOWER_CAVA = course((-78, 0, -24, 11), (-120, 8, -27, 12), (-185, 14, -24, 11.5))
LEFT_INNOMINATE = course((48, -26, -22, 6.5), (54, -34, 0, 6), (64, -30, 28, 6), (85, -18, 46, 5.5), (102, -8, 75, 5))
RIGHT_INNOMINATE = course((48, -24, -24, 7), (80, -14, -36, 6), (102, -8, -72, 5))
BRACHIOCEPHALIC = course((34, -18, 3, 5.5), (60, -13, -9, 5), (85, -6, -22, 4.5), (125, 0, -38, 4))
LEFT_CAROTID = course((36, -6, 14, 3.8), (70, -5, 18, 3.6), (130, -8, 24, 3.4))
LEFT_SUBCLAVIAN = course((35, 6, 21, 4.5), (65, 8, 28, 4.2), (90, 4, 45, 4), (102, -6, 82, 4))
AZYGOS = course((-170, 42, -8, 3), (0, 38, -12, 3.2), (12, 30, -20, 4), (15, 6, -33, 4), (12, -14, -31, 4))
RIGHT_VEINS = course((-34, 4, -28, 7), (-26, -4, -48, 6)), course((-48, 12, -26, 7), (-52, 16, -46, 6))
LEFT_VEINS = course((-30, 4, 30, 6.5), (-20, -2, 48, 6)), course((-46, 14, 28, 6.5), (-52, 20, 46, 6))
TRACHEA = course((150, -22, 0, 8.5), (60, -5, -3, 8.7), (25, 3, -4, 8.7), (2, 9, -1, 9.5))
RIGHT_BRONCHUS = course((3, 9, -4, 7.5), (-14, 13, -22, 6.8), (-26, 13, -42, 5.8))
LEFT_BRONCHUS = course((3, 9, 2, 6.5), (-14, 17, 24, 5.9), (-26, 21, 45, 5.2))
GULLET = course((150, 8, 6, 6), (30, 26, 6, 6.5), (-40, 28, 2, 7), (-100, 22, 4, 7.5), (-128, 8, 20, 8))


def draw_vasculature(rng: np.random.Generator) -> Vasculature:
    """The courses of one body: calibres and stations vary by some per cent and a millimetre or two."""
    vessels = (
        AORTA, PULMONARY_TRUNK, LEFT_PULMONARY, RIGHT_PULMONARY, CAVA, LOWER_CAVA, LEFT_INNOMINATE,
        RIGHT_INNOMINATE, BRACHIOCEPHALIC, LEFT_CAROTID, LEFT_SUBCLAVIAN, AZYGOS, *RIGHT_VEINS, *LEFT_VEINS,
    )  # fmt: skip
    airways = (TRACHEA, RIGHT_BRONCHUS, LEFT_BRONCHUS)
    return Vasculature(
        blood=tuple(_varied(rng, path) for path in vessels),
        airways=tuple(_varied(rng, path) for path in airways),
        gullet=_varied(rng, GULLET),
    )


def _varied(rng: np.random.Generator, path: Course) -> Course:
    calibre = rng.normal(1, 0.05)
    inner = np.zeros_like(path.points)
    inner[1:-1] = rng.normal(0, 0.8, size=inner[1:-1].shape)
    return Course(path.points + inner, path.radii * calibre)
