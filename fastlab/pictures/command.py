"""What `fastlab show` and `fastlab lr-find` print and draw. `answer` is the command line's `Answer`."""
from importlib import import_module
from pathlib import Path

import numpy as np
from torch.nn import Conv2d

from fastlab.errors import OptionError, one_of
from fastlab.images.arrays import Arrays
from fastlab.pictures import confusion, curves, results
from fastlab.pictures.style import save
from fastlab.progress import Progress
from fastlab.strokes.dataset import named_or_default
from fastlab.training.command import decoded_for
from fastlab.training.modelfile import load_model
from fastlab.training.run import learner_for
from fastlab.training.test import test


def show_command(answer, model, folder, out, everything, form, split, split_seed, group_by, cache, skip_unreadable,
                 net=None):
    "fastlab show. net: 'MODULE:FUNCTION' of a user's own network."
    one_of("--form", form, ("png", "svg"))
    loaded = load_model(model, net)
    folder = named_or_default(folder, answer.say)
    progress = Progress("Decoding image")
    arrays = Arrays.from_folder(folder, loaded.input["channels"], loaded.input["size"], split_seed, group_by, cache,
                                skip_unreadable, progress)
    progress.close()
    tested = test(loaded, arrays, split=split)
    rows = np.arange(len(arrays.labels)) if split == "all" else arrays.splits[split]
    out = Path(out) if out else Path("pictures") / Path(model).stem
    if out.is_file():
        raise OptionError(f"--out {out}: this is a file. Name a folder for the pictures.")
    files = []
    for name, draw in drawings(loaded, tested, arrays.images[rows], everything).items():
        path = out / f"{name}.{form}"
        drawn = draw()
        save(np.ravel(drawn)[0].figure, path)
        files.append(str(path))
        answer.say(f"drawn {path}")
    answer.give({"out": str(out), "files": files, **tested.summary()})


def drawings(model, tested, images, everything=False):
    "{name: function that draws it} for a Model, its Tested and the images in the same order."
    truth, shares, names, classes = tested.truth, tested.probabilities, list(tested.names), list(tested.classes)
    found = {
        "batch": lambda: results.batch(images[spread(truth)], truth[spread(truth)], names, classes=classes),
        "results": lambda: results.results(images[spread(truth)], truth[spread(truth)], shares[spread(truth)], names,
                                           classes=classes),
        "confusion": lambda: confusion.matrix(truth, tested.predicted, names, classes=classes),
        "mistakes": lambda: results.mistakes(images, truth, shares, names, classes=classes, files=list(tested.files)),
        "training": lambda: training(model.history),
    }
    return found | further(model, tested, images) if everything else found


def further(model, tested, images):
    "The pictures that --all adds."
    truth, shares, names, classes = tested.truth, tested.probabilities, list(tested.names), list(tested.classes)
    calibration, kernels = (import_module(f"fastlab.pictures.{name}") for name in ("calibration", "kernels"))
    convolutions = [module for module in model.net.modules() if isinstance(module, Conv2d)]  # a user's may have none
    first = {"kernels": lambda: kernels.first_layer(convolutions[0].weight.detach().numpy())} if convolutions else {}
    return {
        "pairs": lambda: results.pairs(images, truth, shares, names, classes=classes),
        "shares": lambda: confusion.matrix(truth, tested.predicted, names, classes=classes, shares=True),
        "calibration": lambda: calibration.reliability(truth, shares),
        "classes": lambda: calibration.per_class(truth, tested.predicted, names, classes=classes),
        **first,
        "rate": lambda: curves.schedule(np.array([epoch["lr"] for epoch in model.history])),
    }


def spread(truth, count=24):
    "Row numbers that go round the classes, the first image of each, then the second …"
    order = np.argsort(truth, kind="stable")
    place = np.arange(len(truth)) - np.searchsorted(truth[order], truth[order])
    return order[np.lexsort((truth[order], place))][:count]


def training(history):
    "Loss and accuracy by epoch out of a Model's history."
    def column(name):
        return np.array([np.nan if epoch.get(name) is None else epoch[name] for epoch in history], dtype=float)
    return curves.training({"train": column("train_loss"), "develop": column("develop_loss")},
                           {"develop": column("develop_accuracy")})


def lr_find_command(answer, folder, recipe, seed, device, out, split_seed, group_by, cache, skip_unreadable):
    "fastlab lr-find"
    from fastai.callback.schedule import minimum, slide, steep, valley
    folder = named_or_default(folder, answer.say)
    arrays = decoded_for(answer, folder, recipe, split_seed, group_by, cache, skip_unreadable)
    learn = learner_for(arrays, recipe, seed, device)
    with learn.no_bar():
        found = learn.lr_find(show_plot=False, suggest_funcs=(valley, slide, minimum, steep))
    rates = {name: float(rate) for name, rate in zip(found._fields, found)}
    for name, rate in rates.items():
        answer.say(f"{name:<8} {rate:.2e}")
    losses = [float(loss) for loss in learn.recorder.losses]
    if out is not None:
        save(curves.rate_finder(learn.recorder.lrs, losses, rates).figure, out)
        answer.say(f"curve drawn to {out}")
    answer.give({"suggestions": rates, "rates": [float(rate) for rate in learn.recorder.lrs], "losses": losses})
