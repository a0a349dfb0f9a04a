"""What the counts of a folder say: classes that differ between splits, that are empty, of very different size, and
what so many test images can show."""
import os

import numpy as np

from fastlab.check.findings import Finding, printable
from fastlab.check.listing import STOPS
from fastlab.errors import listed
from fastlab.images.folder import SHARES
from fastlab.training.figures import wilson

UNEVEN = 3.0            # the largest class over the smallest, from which accuracy alone misleads
FEW_TO_TEST = 10        # test images a class
EXPECTED = 0.95         # the accuracy at which the interval is told
WIDE = 0.06             # an interval wider than this decides little


def class_findings(listing, readable):
    "(findings, notes) on classes and splits. readable: rows that can be decoded."
    counts = np.zeros((max(1, len(listing.splits)), len(listing.classes)), dtype=np.int64)
    np.add.at(counts, (listing.split[readable], listing.label[readable]), 1)
    found = [*_missing(listing, counts), *_uneven(listing, counts)]
    found_testing, note = _testing(listing, counts)
    return found + found_testing, note


def _missing(listing, counts):
    "Classes without images, classes that a split lacks, fewer than two classes."
    if len(listing.classes) < 2:
        there = f"only one class, {listing.classes[0]!r}" if listing.classes else "no class folders"
        yield Finding("split", (), f"{there}; telling classes apart needs two or more", STOPS)
    for number, split in enumerate(listing.splits or ("",)):
        where = f" in {split}" if split else ""
        absent = [name for name in listing.classes if name not in listing.present.get(split, ())]
        if absent:
            yield Finding("split", (), f"classes differ between splits: {listed(absent)} {_is(absent)} missing{where}",
                          STOPS, {"classes": list(map(printable, absent)), "split": split})
        empty = [name for name, count in zip(listing.classes, counts[number]) if not count and name not in absent]
        if empty:
            places = tuple(os.path.join(listing.places.get(split, ""), name) for name in empty)
            yield Finding("split", places, f"the class{'es' if len(empty) > 1 else ''} {listed(empty)} {_is(empty)} "
                          f"empty{where}: no readable image", STOPS,
                          {"classes": list(map(printable, empty)), "split": split})


def _is(names):
    return "are" if len(names) > 1 else "is"


def _uneven(listing, counts):
    """One finding for the split that is trained on, or for the whole folder. Classes without any image have a finding
    of their own, and are not what the others are held against."""
    number = listing.splits.index("train") if "train" in listing.splits else None
    row = counts.sum(axis=0) if number is None else counts[number]
    if np.count_nonzero(row) < 2 or row.max() < UNEVEN * row[row > 0].min():
        return
    least, most = int(np.where(row > 0, row, row.max()).argmin()), int(row.argmax())
    where = " to train on" if number is not None else ""
    sizes = dict(zip(map(printable, listing.classes), map(int, row)))
    yield Finding("imbalance", (), f"{listing.classes[most]!r} has {row[most]:,} images{where}, "
                  f"{listing.classes[least]!r} {row[least]:,}: {row[most] / row[least]:.1f} times as many",
                  "used as it is; look at balanced accuracy, or train with --class-weights balanced",
                  {"classes": sizes})


def _testing(listing, counts):
    "(findings, notes): what the number of test images allows to say."
    if not counts.sum():
        return [], []
    if listing.splits:
        if "test" not in listing.splits:
            return [Finding("split", (), "there is no test split", "figures come from develop only", {})], []
        row, how = counts[listing.splits.index("test")], "in the test split"
    else:
        row, how = counts.sum(axis=0) * SHARES["test"], "in the fifth that is held back to test with"
    n = int(row.sum())
    low, high = wilson(round(EXPECTED * n), n)
    told = (f"{n:,} images {how}: an accuracy of {EXPECTED:.0%} would have the 95 % interval {low * 100:.1f} to "
            f"{high * 100:.1f} %").replace("95%", "95 %")
    few = [name for name, count in zip(listing.classes, row) if 0 < count < FEW_TO_TEST]
    if high - low <= WIDE and not few:
        return [], [told[0].upper() + told[1:] + "."]
    if few:
        told += f"; fewer than {FEW_TO_TEST} of {listed(few)}"
    return [Finding("split", (), f"too few images to test with: {told}", "tested all the same; the interval is told",
                    {"n": n, "interval": [low, high]})], []
