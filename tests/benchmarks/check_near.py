"""How many planted copies `fastlab check` finds, and how many pairs it reports that are none.

python tests/benchmarks/check_near.py FOLDER [COUNT] [SEED]        by default COUNT 1000 copies of each kind, SEED 2026
FOLDER holds <split>/<class>/<image>. Copies are planted of images of the test split alone, with changes and a seed
that were written after the thresholds of the search had been set, and all of the folder is searched beside them. Kinds:
shifted by up to 2 pixels each way, scaled by up to 10 %, JPEG of quality 30, saved at half or double size. Images that
the folder holds twice, or nearly, are not planted. Told: the pairs found without plantings over the images, an upper
bound for false ones; for each kind the share found, and other new pairs. One JSON line a kind.
"""
import io
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image

from fastlab.check.frames import flat_border
from fastlab.check.listing import list_folder
from fastlab.check.looking import thumbnail
from fastlab.check.nearly import near_pairs
from fastlab.check.scan import THUMB, natural_side, scan
from fastlab.images.decode import open_image


def shifted(image, rng, plain):
    "Moved by up to 2 pixels each way, never by none; the ground goes on, or the edge."
    right = down = 0
    while not (right or down):
        right, down = rng.integers(-2, 3, 2)
    how = {"constant_values": int(np.median(image[0]))} if plain else {"mode": "edge"}
    padded = np.pad(image, 2, **how)
    return padded[2 - down:2 - down + image.shape[0], 2 - right:2 - right + image.shape[1]]


def scaled(image, rng, plain):
    "Larger or smaller by up to a tenth about the centre; the ground goes on, or the edge."
    height, width = image.shape
    factor = 1 + rng.choice([-1, 1]) * rng.uniform(0.02, 0.1)
    how = {"constant_values": int(np.median(image[0]))} if plain else {"mode": "edge"}
    margin = max(height, width) // 8
    padded = Image.fromarray(np.pad(image, margin, **how))
    x, y, w, h = margin + width / 2, margin + height / 2, width / factor / 2, height / factor / 2
    return np.asarray(padded.resize((width, height), Image.Resampling.BICUBIC, box=(x - w, y - h, x + w, y + h)))


def recompressed(image, rng, plain):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=30)
    return np.asarray(Image.open(file))


def resized(image, rng, plain):
    "Saved at half or double size."
    factor = rng.choice([0.5, 2])
    size = tuple(max(8, round(side * factor)) for side in image.shape[::-1])
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def main(folder, count, seed):
    listing = list_folder(folder)
    seen = scan(listing)
    side = natural_side(listing)
    thumbs = seen.thumbs.read(np.arange(len(listing.files)))
    test = np.flatnonzero(listing.split == listing.splits.index("test"))
    already = near_pairs(len(thumbs), lambda rows: thumbs[rows])
    test = np.setdiff1d(test, np.concatenate([already.first, already.second]))
    chosen = np.random.default_rng(seed).permutation(test)[:count]
    plain = flat_border(thumbs).mean() > 0.5
    print(json.dumps({"images": len(thumbs), "thumbnail": side, "own_size": side != THUMB, "drawings": bool(plain),
                      "pairs_without_plantings": len(already.first),
                      "over_images": round(len(already.first) / len(thumbs), 6)}), flush=True)
    known = set(zip(already.first.tolist(), already.second.tolist()))
    for number, change in enumerate((shifted, scaled, recompressed, resized)):
        rng = np.random.default_rng([seed, number])
        copies = np.stack([thumbnail(change(open_image(folder / listing.files[row]), rng, plain), side)
                           for row in chosen])
        everything = np.concatenate([thumbs, copies])
        found = near_pairs(len(everything), lambda rows, of=everything: of[rows])
        pairs = set(zip(found.first.tolist(), found.second.tolist()))
        planted = {(int(row), len(thumbs) + place) for place, row in enumerate(chosen)}
        print(json.dumps({"kind": change.__name__, "planted": len(planted), "seed": seed,
                          "found": round(len(pairs & planted) / len(planted), 4),
                          "other_new_pairs": len(pairs - planted - known)}), flush=True)
    seen.thumbs.close()


if __name__ == "__main__":
    place, *rest = sys.argv[1:]
    if not Path(place).is_dir():
        print(json.dumps({"left_out": f"{place}: no such folder"}))
    else:
        main(Path(place), *[int(word) for word in rest] or [1000], *([2026] if len(rest) < 2 else []))
