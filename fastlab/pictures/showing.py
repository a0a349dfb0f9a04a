"""Which pictures a trained network and a folder allow: what `fastlab show` draws, by name."""
import numpy as np

from fastlab.pictures import calibration, confusion, curves, results
from fastlab.pictures.explain.sections import sections
from fastlab.pictures.explain.subject import Subject, spread
from fastlab.training.predict import averaged, member_probabilities

RATES_ALIKE = 1e-3      # a rate worked out and one that was recorded, relative to the schedule's greatest


def drawings(model, tested, images):
    "{name: function that draws it} for a Model, its Tested and the images in the same order."
    truth, shares, names, classes = tested.truth, tested.probabilities, list(tested.names), list(tested.classes)
    some = spread(truth)
    found = {
        "batch": lambda: results.batch(images, truth, names, classes=classes, rows=some),
        "results": lambda: results.results(images, truth, shares, names, classes=classes, rows=some),
        "confusion": lambda: confusion.matrix(truth, tested.predicted, names, classes=classes),
        "mistakes": lambda: results.mistakes(images, truth, shares, names, classes=classes, files=list(tested.files)),
    }
    return found | ({"training": lambda: training(model.history)} if model.history else {})


def further(model, tested, images, arrays, progress=None):
    "What --all adds: the other pictures of the results, of the training, and those of every explanation that applies."
    truth, shares, names, classes = tested.truth, tested.probabilities, list(tested.names), list(tested.classes)
    found = {
        "pairs": lambda: results.pairs(images, truth, shares, names, classes=classes),
        "shares": lambda: confusion.matrix(truth, tested.predicted, names, classes=classes, shares=True),
        "calibration": lambda: calibration.reliability(truth, shares),
        "classes": lambda: calibration.per_class(truth, tested.predicted, names, classes=classes),
    }
    if model.crops > 1:
        found["crops"] = lambda: calibration.against(truth, {
            "the middle": shares,
            f"{model.crops} crops": averaged(member_probabilities([model], images, ten_crop=True))})
    if model.history:
        found["rate"] = lambda: rate(model.recipe, model.history, arrays)
    made = sections(Subject(model, arrays, tested.split), progress)
    return found | {picture.name: picture.draw for section in made for picture in section.pictures}


def column(history, name):
    "One figure of every epoch, nan where it was not measured."
    return np.array([np.nan if epoch.get(name) is None else epoch[name] for epoch in history], dtype=float)


def training(history):
    "Loss and accuracy by epoch out of a Model's history."
    return curves.training({"train": column(history, "train_loss"), "develop": column(history, "develop_loss")},
                           {"develop": column(history, "develop_accuracy")})


def rate(recipe, history, arrays):
    """The learning rate of every step, where it follows from the Recipe, the folder's steps in an epoch and fastai's
    one-cycle, and agrees with what was recorded at each epoch's end; else the recorded rates, an epoch each."""
    recorded, steps = column(history, "lr"), steps_of(recipe, arrays)
    if recipe.schedule != "one-cycle":
        return curves.schedule(np.repeat(recorded, steps), steps_per_epoch=steps)
    rates, momenta = one_cycle(recipe.lr, len(history) * steps)
    if recipe.held_momentum is not None:
        momenta = np.full(len(rates), recipe.held_momentum)
    if np.abs(rates[steps - 1::steps] - recorded).max() <= RATES_ALIKE * recipe.lr:
        return curves.schedule(rates, momenta, steps)
    return curves.schedule(recorded, steps_per_epoch=1)


def steps_of(recipe, arrays):
    "Steps of one epoch of a Recipe on a folder; the last batch may be short."
    splits = ("train", "develop") if recipe.on == "total_train" else ("train",)
    return max(1, -(-sum(len(arrays.splits[split]) for split in splits) // recipe.batch_size))


def one_cycle(greatest, steps):
    "(rates, momenta) of fastai's `fit_one_cycle`, one a step, from its own schedule and defaults."
    from fastai.callback.schedule import combined_cos
    places = np.arange(steps) / steps
    rate_at = combined_cos(0.25, greatest / 25, greatest, greatest / 1e5)
    momentum_at = combined_cos(0.25, 0.95, 0.85, 0.95)
    return np.array([rate_at(place) for place in places]), np.array([momentum_at(place) for place in places])
