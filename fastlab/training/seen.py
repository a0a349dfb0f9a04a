"""Whether a network is tested on images that it was trained on, as after a folder was split with another seed.

A network keeps the digests of a few of its training images, so that they can be looked for among any others."""
from hashlib import blake2b

import numpy as np

LOOKED_FOR = 64                 # training images whose digests a network keeps
FEWEST = 2                      # that are worth a word: a single one may be a double by chance


def digests(images, rows):
    "The digest of each image's pixels, as hex, in the order of `rows`. images: uint8 (N, H, W, C)."
    images = np.asarray(images)  # a memory map takes longer for each index
    return [blake2b(np.ascontiguousarray(images[row]), digest_size=8).hexdigest() for row in rows]


def seen_images(arrays):
    "The digests of up to LOOKED_FOR training images of an Arrays, evenly spread; of equal ones a single one."
    rows = arrays.splits["train"]
    some = rows[np.unique(np.linspace(0, len(rows) - 1, LOOKED_FOR).round().astype(int))] if len(rows) else rows
    return tuple(dict.fromkeys(digests(arrays.images, some)))


def among(seen, images, rows):
    "How many of the images that a network remembers stand in `rows` of `images`."
    return len(set(seen) & set(digests(images, rows))) if seen else 0
