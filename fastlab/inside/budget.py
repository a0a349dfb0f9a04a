"""How much of every measurement a network affords: images by its multiplications, images at once by its maps' memory.

A LeNet multiplies three million times for an image, the AlexNet of 2012 a thousand million times: what is measured on
hundreds of images of the one must be content with a dozen of the other, and each figure says its n."""
from dataclasses import dataclass

from fastlab.inside.costs import costs

MEMORY = 64 * 2 ** 20           # bytes that all maps of the images in hand take; a backward pass takes a few times that
AT_ONCE = 128                   # images at most: more does not pay on a CPU's caches


@dataclass(frozen=True)
class Budget:
    "What one image costs a network in one forward pass: `multiplications`, and `map_bytes`, the maps of all its steps."
    multiplications: int
    map_bytes: int

    @classmethod
    def of(cls, net, channels, size):
        "The Budget of `net` for images of (channels, size, size)."
        found = costs(net, channels, size)
        return cls(max(1, sum(cost.multiplications for cost in found)),
                   max(1, sum(cost.activation_bytes for cost in found)))

    def images(self, work, passes=1, least=1, most=1024):
        "How many images `work` multiplications allow where each takes `passes` forward passes; `least` … `most`."
        return int(min(most, max(least, work / (self.multiplications * passes))))

    @property
    def chunk(self):
        "Images at once, so that all their maps stay within MEMORY; at least one."
        return int(min(AT_ONCE, max(1, MEMORY // self.map_bytes)))
