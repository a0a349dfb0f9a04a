"""What a drawing must look like to a network: size, paper and ink, told by the network's own normalisation.

A network was trained on images with a mean m and a standard deviation s (fractions of white). Images of two values
alone, ink and paper, have s² = m(1 - m), the most that is possible; images with soft edges come close. So s² / m(1 - m)
tells drawings from photographs, and hard pens from soft ones, and m tells which of the two values is the paper."""
from dataclasses import dataclass

import numpy as np

HARD = 0.9          # from this share of m(1 - m) on, images hold ink and paper and nothing between
DRAWN = 0.5         # below it the images are photographs, which say nothing about paper
LONG_SIDE = 0.79    # of a frame: median over handwritten characters of 28 px is 22
HARD_PEN, SOFT_PEN = 1.15, 2.6  # widths of pens in 28ths of a frame: of characters; of smoothed digits


@dataclass(frozen=True)
class Paper:
    """The sheet that a network reads from. `size`: side in pixels; `channels`: 1 or 3; `crop`: side of the centre that
    it sees; `light`: dark ink on light paper, else the other way round; `hard`: ink or paper, nothing between; `pen`:
    width in 28ths of the frame."""
    size: int
    channels: int
    crop: int
    light: bool = True
    hard: bool = False
    pen: float = 1.15

    def as_dict(self):
        "Plain values for the page."
        return {"size": self.size, "channels": self.channels, "crop": self.crop, "light": self.light,
                "pen": round(self.pen, 2)}


def paper_of(size, channels, mean, std, crop=None):
    "The Paper of a network that takes `size` × `size` images and was trained on images of this `mean` and `std`."
    middle, spread = float(np.mean(mean)), float(np.mean(std))
    most = middle * (1 - middle)
    share = spread ** 2 / most if most > 0 else 0.0
    light, hard = middle >= 0.5 or share < DRAWN, share >= HARD
    return Paper(int(size), int(channels), int(crop or size), light, hard, HARD_PEN if light else SOFT_PEN)
