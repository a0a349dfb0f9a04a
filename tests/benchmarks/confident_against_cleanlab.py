"""Whether `fastlab check`'s confident learning is that of cleanlab, its authors' own package.

python tests/benchmarks/confident_against_cleanlab.py [COUNT]       needs `pip install cleanlab`, which fastlab does not
Made-up predictions and labels of several sizes, sharpness and noise. Compared: the thresholds, and the images off the
diagonal of the confident joint whose class there is the network's first, as fastlab's suspects are. (Where several
classes reach their thresholds and the first does not, cleanlab takes the first, the paper one of the several; such
images are counted.) Prints one JSON line."""
import json
import sys

import numpy as np

from fastlab.check.confident import confident_class, thresholds


def made_up(rng, count, classes, sharp, wrong):
    "(probabilities float64 (N, K), labels (N,)), every class with some images."
    truth = rng.integers(classes, size=count)
    truth[:classes] = np.arange(classes)
    scores = rng.normal(size=(count, classes)) + sharp * np.eye(classes)[truth] * rng.uniform(0, 1.4, (count, 1))
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.where(rng.random(count) < wrong, rng.integers(classes, size=count), truth)
    labels[:classes] = np.arange(classes)
    return probabilities, labels


def main(count):
    from cleanlab.count import compute_confident_joint, get_confident_thresholds
    rng, found, gap, otherwise = np.random.default_rng(2026), 0, 0.0, 0
    for _ in range(count):
        classes, sharp, wrong = int(rng.integers(2, 20)), rng.uniform(1, 6), rng.uniform(0, 0.3)
        probabilities, labels = made_up(rng, int(rng.integers(50, 2000)), classes, sharp, wrong)
        _, theirs = compute_confident_joint(labels, probabilities, return_indices_of_off_diagonals=True)
        guess, first = confident_class(probabilities, labels), probabilities.argmax(axis=1)
        ours = set(np.flatnonzero((guess == first) & (guess != labels)).tolist())
        both = {int(row) for row in theirs if guess[row] == first[row]}
        if both != ours:
            raise SystemExit(f"they differ: {len(both)} against {len(ours)} images")
        found, otherwise = found + len(ours), otherwise + len(theirs) - len(both)
        apart = np.abs(get_confident_thresholds(labels, probabilities) - thresholds(probabilities, labels))
        gap = max(gap, float(apart.max()))
    print(json.dumps({"data_sets": count, "images": found, "the_same": True, "thresholds_differ_by": gap,
                      "images_where_cleanlab_departs_from_the_paper": otherwise}))


if __name__ == "__main__":
    try:
        import cleanlab  # noqa: F401
    except ImportError:
        print(json.dumps({"left_out": "cleanlab is not installed"}))
    else:
        main(*[int(word) for word in sys.argv[1:]] or [300])
