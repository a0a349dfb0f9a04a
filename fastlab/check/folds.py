"""Out-of-fold predictions: every image judged by a network that has seen neither it nor a double of it.

One network a fold, each in a process of its own with one thread, so that the bits are the same however many run at
once."""
import os
from dataclasses import dataclass

import numpy as np

from fastlab.check.unlike import class_distances, principal_space
from fastlab.seeds import numpy_generator

FOLDS = 4
LOOKS = 45_000              # images that one network sees, all epochs together …
EPOCHS = 3, 40              # … within these bounds
WORTH_PROCESSES = 60_000    # image passes in all, from which starting other processes pays
RATE = 3e-3
WHOLE_CLASS = 0.1           # of its class, from which a group of look-alikes is no copy but how the class looks
SAMPLE = 2048               # images whose features settle the space in which distances are taken


@dataclass(frozen=True)
class Judged:
    """What networks say of images they have not seen. log_probabilities: float32 (N, classes); distances: float32 (N,),
    how far an image's features lie from its class's (nan where the class is too small to say)."""
    log_probabilities: np.ndarray
    distances: np.ndarray

    def accuracy(self, labels):
        "The share of images whose label the networks would have given."
        return float((self.log_probabilities.argmax(axis=1) == labels).mean())


def kept_together(labels, readable, same, alike):
    """The groups of rows that must not be dealt to several folds, no row in two of them: same, groups of identical
    pictures, and alike, larger ones of nearly the same. Where a class is so even that a tenth of it is nearly the same
    picture, as discs are, one fold would hold all of them and its network would not know them: there only identical
    pictures are kept together."""
    sizes = np.bincount(labels[readable], minlength=int(labels.max(initial=0)) + 1)
    kept = [rows for rows in alike
            if (np.bincount(labels[rows], minlength=len(sizes)) <= np.maximum(WHOLE_CLASS * sizes, 4)).all()]
    within = {int(row) for rows in kept for row in rows}
    return kept + [group for group in same if int(group[0]) not in within]


def dealt_folds(labels, groups, seed, folds=FOLDS):
    """The fold of each image, int64 (N,): stratified by class, seeded, and every group (rows that show one picture) in
    one fold. A group counts for the class of its first row."""
    leader = np.arange(len(labels))
    for group in groups:
        leader[group] = group[0]
    fold, start = np.zeros(len(labels), np.int64), 0
    for label in range(int(labels.max()) + 1):
        rows = np.flatnonzero((labels == label) & (leader == np.arange(len(labels))))
        rows = rows[numpy_generator(seed, "split", "check", label).permutation(len(rows))]
        fold[rows] = (start + np.arange(len(rows))) % folds
        start += len(rows)
    return fold[leader]


def recipe_for(images, drawings):
    """The Recipe of one fold's network: the refined LeNet, with handwriting augmentation for drawings, shifts and the
    mirror for photographs. images: how many are trained on."""
    from fastlab.training.recipe import Recipe
    epochs = int(np.clip(round(LOOKS / max(images, 1)), *EPOCHS))
    return Recipe(epochs=epochs, schedule="one-cycle", lr=RATE, augment="handwriting" if drawings else "crop+mirror")


def judge(arrays, fold, recipe, seed=0, jobs=None, progress=None):
    """Judged: each fold's images by a network trained on the other folds. arrays: an Arrays; its splits are not used.
    fold: int (N,). jobs: processes. progress(done, total) counts folds."""
    folds = int(fold.max()) + 1
    jobs = min(folds, jobs or os.cpu_count() or 1)
    passes = recipe.epochs * len(fold) * (folds - 1)
    if jobs > 1 and passes > WORTH_PROCESSES:
        from joblib import Parallel, delayed
        results = Parallel(jobs, return_as="generator")(delayed(judge_fold)(arrays, fold, number, recipe, seed)
                                                        for number in range(folds))
    else:
        results = (judge_fold(arrays, fold, number, recipe, seed) for number in range(folds))
    told = np.zeros((len(fold), len(arrays.classes)), np.float32)
    distances = np.full(len(fold), np.nan, np.float32)
    for number, (log_probabilities, far) in enumerate(results):
        told[fold == number], distances[fold == number] = log_probabilities, far
        if progress:
            progress(number + 1, folds)
    return Judged(told, distances)


def judge_fold(arrays, fold, number, recipe, seed):
    "(log-probabilities, distances) of one fold's images, in order. Runs in a process of its own, or here."
    import torch

    from fastlab.training.run import learner_for
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        held, others = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        sample = others[np.unique(np.linspace(0, len(others) - 1, SAMPLE).round().astype(int))]
        arrays = arrays.with_splits(train=others, develop=sample, test=held)
        learn = learner_for(arrays, recipe, _seed_of(seed, number), "cpu")
        with learn.no_bar(), learn.no_logging():
            learn.fit_recipe()
        space = principal_space(_seen(learn, "develop")[1], arrays.labels[others])
        known = _seen(learn, "train", space)[1]
        log_probabilities, features = _seen(learn, "test", space)
    finally:
        torch.set_num_threads(threads)
    return log_probabilities, class_distances(known, arrays.labels[others], features, arrays.labels[held])


def _seed_of(seed, number):
    return seed * FOLDS + number


def _seen(learn, split, space=None):
    """(log-probabilities (N, classes), what enters the last layer), float32, of one split; a `space` (mean, directions)
    brings the features to few numbers batch by batch, so that they never stand in memory whole."""
    from fastlab.training.run import split_scores
    found = []

    def keep(layer, entered):
        features = entered[0].detach().float().flatten(1).cpu().numpy()
        found.append(features if space is None else (features - space[0]) @ space[1])
    handle = learn.model.linear.register_forward_pre_hook(keep)
    try:
        told = split_scores(learn, split).log_softmax(1).cpu().numpy()
    finally:
        handle.remove()
    return told, np.concatenate(found)
