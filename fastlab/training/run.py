"""One run: a pure function of (arrays, Recipe, seed) on a given kind of processor."""
import time

import numpy as np
import torch
from fastai.callback.core import Callback

from fastlab.errors import OptionError
from fastlab.images.batches import arrays_dataloaders
from fastlab.training.evaluate import Rows, same_in_training_mode, scores
from fastlab.training.learner import LabLearner, lab_learner
from fastlab.training.machine import described, device_for, threads_set
from fastlab.training.penalties import share_of_zeros
from fastlab.training.recipe import crops_of
from fastlab.training.result import Result

PROBED_STEPS = 4                # steps of an epoch whose update is measured


def carry_out(arrays, recipe, seed, marks=(), device="cpu", threads=1, as_printed=True):
    """Trains `recipe` with `seed` on `arrays` and returns its Result. `marks`: epochs after which all predictions are
    kept; the last epoch always is. With schedule constant or plateau the first epochs do not depend on how many follow.
    as_printed: whether the report's way of testing is carried out too; a network that cannot be tested so (BatchNorm
    over single values) has nan there. threads: of torch meanwhile; None leaves them.
    Raises FastlabError (TrainingError for a loss or weights that are not finite)."""
    started = time.perf_counter()
    with threads_set(threads):
        learn = learner_for(arrays, recipe, seed, device)
        collected = Collected({*marks, recipe.epochs}, as_printed)
        with learn.no_bar(), learn.no_logging():
            learn.fit_recipe(cbs=[collected])
        machine = described(learn.dls.device or "cpu", learn.recipe.precision)
    return Result(collected.epochs(), collected.marks, machine, time.perf_counter() - started)


def learner_for(arrays, recipe, seed, device="cpu", cbs=None):
    "The LabLearner of a Recipe on arrays. Raises OptionError where the Recipe's size or channels are not the arrays'."
    for name, has in (("size", arrays.size[0]), ("channels", arrays.channels)):
        wanted = getattr(recipe, name)
        if wanted not in (None, has):
            raise OptionError(f"{name}: the recipe wants {wanted}, and the images were decoded with {has}.")
    if arrays.size[0] != arrays.size[1]:
        raise OptionError(f"size: the images are {arrays.size[1]}×{arrays.size[0]}, and the networks take square ones. "
                          "Give a size that all are brought to.")
    dls = arrays_dataloaders(arrays, recipe.batch_size, recipe.augment, recipe.crop, seed, recipe.on,
                             device_for(device))
    return lab_learner(dls, recipe, seed, cbs=cbs)


class Collected(Callback):
    "Keeps what a Result holds: figures an epoch, predictions at the marks."
    order, while_searching = 70, False

    def __init__(self, marks, as_printed=True):
        super().__init__()
        self.wanted, self.printed, self.marks, self.figures = marks, as_printed, {}, []

    def before_train(self):
        self.right, self.output, self.updates = 0, 0.0, []
        steps = self.learn.train_steps
        self.probed = set(np.linspace(0, steps - 1, PROBED_STEPS).astype(int).tolist())

    def before_step(self):
        if self.learn.iter in self.probed:
            self.before = [parameter.detach().clone() for parameter in self.learn.model.parameters()]

    def after_step(self):
        if self.learn.iter in self.probed:
            after = [parameter.detach() for parameter in self.learn.model.parameters()]
            change = torch._foreach_norm(torch._foreach_sub(after, self.before))
            self.updates.append(torch.stack(change).norm())

    def after_batch(self):
        if self.learn.training:
            pred, truth = self.learn.pred.detach(), self.learn.yb[0]
            self.right = self.right + (pred.argmax(1) == truth).sum()
            self.output = self.output + pred.abs().mean(1).sum()

    def after_epoch(self):
        log, count = self.learn.history[-1], len(self.learn.dls.train.dataset)
        epoch = log["epoch"]
        figures = {name: log[name] for name in ("train_loss", "develop_loss", "develop_accuracy", "lr", "seconds")}
        figures |= {"zeros": float(share_of_zeros(self.learn.model)), "output_size": float(self.output) / count,
                    "train_accuracy_while_training": float(self.right) / count,
                    "update_norm": float(torch.stack(self.updates).mean())}
        if self.printed and same_in_training_mode(self.learn.model):
            figures["develop_accuracy_as_printed"] = figures["develop_accuracy"]
        else:
            develop = self._as_printed("develop", epoch)
            truth = self.learn.dls.arrays.labels[self.learn.dls.arrays.splits["develop"]]
            figures["develop_accuracy_as_printed"] = np.nan if develop is None else float((develop == truth).mean())
        self.figures.append(figures)
        if epoch in self.wanted:
            self.marks[epoch] = self._mark(epoch)

    def _mark(self, epoch):
        mark = {split: self._classes(split, "eval", epoch) for split in ("train", "develop")}
        if len(self.learn.dls.arrays.splits["test"]):
            found = self._scores("test", "eval", epoch)
            mark["test"] = found.argmax(1).cpu().numpy().astype(np.int16)
            mark["test_probabilities"] = found.softmax(1).cpu().numpy().astype(np.float16)
            recipe, size = self.learn.recipe, self.learn.dls.arrays.size[0]
            if crops_of(recipe.augment, recipe.crop, size) > 1:
                crops = split_scores(self.learn, "test", ten_crop=True)
                mark["test_ten_crop"] = crops.argmax(1).cpu().numpy().astype(np.int16)
                mark["test_ten_crop_probabilities"] = crops.exp().cpu().numpy().astype(np.float16)
        same = same_in_training_mode(self.learn.model)
        for split in ("develop", "test") if self.printed else ():
            if split in mark:
                printed = mark[split] if same else self._as_printed(split, epoch)
                mark |= {} if printed is None else {f"{split}_as_printed": printed}
        return mark

    def _as_printed(self, split, epoch):
        "Predicted classes by the report's way of testing; None where it was not asked for or this network cannot."
        if not self.printed:
            return None
        try:
            return self._classes(split, "as-printed", epoch)
        except OptionError:
            self.printed = False
            return None

    def _classes(self, split, testing, epoch):
        return self._scores(split, testing, epoch).argmax(1).cpu().numpy().astype(np.int16)

    def _scores(self, split, testing, epoch):
        return split_scores(self.learn, split, testing, epoch)

    def epochs(self):
        "name -> float64 array, one number an epoch."
        names = self.figures[0] if self.figures else ()
        return {name: np.array([figures[name] for figures in self.figures], dtype=np.float64) for name in names}


def split_scores(learn: LabLearner, split, testing="eval", turn=0, ten_crop=False):
    "The scores of a Learner's network on one split of its arrays, float32 (N, classes), in the split's order."
    arrays, recipe = learn.dls.arrays, learn.recipe
    rows = torch.from_numpy(np.asarray(arrays.splits[split]))
    device = next(learn.model.parameters()).device
    pixels = arrays.on(device)
    mean, deviation = arrays.statistics
    return scores(learn.model, Rows(pixels, rows.to(device)), mean, deviation, recipe.crop, testing, learn.seed, turn,
                  recipe.precision, ten_crop, recipe.augment == "crop+mirror")
