"""Learners for fastlab's networks: everything that works on a fastai Learner works on them, from the same bits as the
command line. Source of the networks and defaults: the report, "The networks" and "Training and testing"."""
import time
from importlib import import_module
from inspect import signature

import numpy as np
import torch
from fastai.callback.core import Callback, TrainEvalCallback
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from torch.nn.functional import cross_entropy

from fastlab.errors import OptionError, nearest
from fastlab.images.batches import ToNetwork
from fastlab.images.loader import BatchLoader
from fastlab.nets import build
from fastlab.nets.weights import body_and_head, load_body
from fastlab.seeds import kept_random_state, seed_for
from fastlab.training.loop import RepeatableLearner
from fastlab.training.machine import precision_for
from fastlab.training.optimizers import current_rate, optimizer_for
from fastlab.training.penalties import L1Penalty
from fastlab.training.recipe import Recipe
from fastlab.training.recorder import Accuracy, DeviceRecorder, LightProgress
from fastlab.training.schedules import DividedOnPlateau, FrozenBody
from fastlab.training.wholefile import check_undamaged

OF_THE_DATA = ("batch_size", "augment", "size", "channels", "crop", "on")   # settled by the DataLoaders
OF_FASTAI = tuple(name for name in signature(Learner.__init__).parameters
                  if name not in ("self", "dls", "model", "lr", "default_cbs"))


class CrossEntropy(CrossEntropyLossFlat):
    "Cross-entropy of (N, classes) scores, on plain tensors; fastai's activation, decodes and reduction stay."

    def __call__(self, inp, targ, **options):
        reduction = options.get("reduction", self.func.reduction)
        return cross_entropy(inp, targ, weight=self.func.weight, reduction=reduction)


class EpochLog(Callback):
    "Writes each epoch's figures into `learn.history`: one dict an epoch, kept through `lr_find` and stages of fitting."
    order, while_searching = 51, False

    def before_epoch(self):
        self.begun = time.perf_counter()

    def after_epoch(self):
        history, epoch = self.learn.history, self.learn.epochs_trained
        if epoch == (history[-1]["epoch"] if history else 0):
            return  # validation alone, which fastai wraps in the events of an epoch
        names, values = self.learn.recorder.metric_names[1:], self.learn.recorder.values[-1]
        figures = {name.replace("valid_", "develop_"): value for name, value in zip(names, values) if name != "time"}
        if "accuracy" in figures:
            figures["develop_accuracy"] = figures.pop("accuracy")
        figures["train_loss"] = self.learn.recorder.train_loss
        history.append({"epoch": epoch, **figures, "lr": current_rate(self.learn.opt),
                        "seconds": time.perf_counter() - self.begun})


class LabLearner(RepeatableLearner):
    "A Learner that knows its Recipe: `fit_recipe()` trains as `fastlab train` does."

    def __init__(self, dls, recipe, net, seed=0, cbs=None, opt_func=None, metrics=None, loss_func=None, **options):
        self.recipe = recipe
        device = dls.device or torch.device("cpu")
        cbs = [*([L1Penalty(recipe.l1, recipe.l1_form)] if recipe.l1 else []), *listed(cbs)]
        super().__init__(dls, net.to(memory_format=torch.channels_last),
                         loss_func or CrossEntropy(weight=class_weights(dls, recipe)),
                         opt_func or optimizer_for(recipe, device), lr=recipe.lr, seed=seed, precision=recipe.precision,
                         metrics=[Accuracy()] if metrics is None else metrics, path=options.pop("path", "."),
                         cbs=[TrainEvalCallback(), DeviceRecorder(), EpochLog(), LightProgress(), *cbs],
                         default_cbs=False, **options)

    def show_results(self, *arguments, **options):
        "As fastai's, one figure with the true and the predicted class above each image."
        _shown_as_images()
        super().show_results(*arguments, **options)

    def get_preds(self, *arguments, with_loss=False, **options):
        "As fastai's. Losses are asked for by fastai's interpretation, which then shows images."
        if with_loss:
            _shown_as_images()
        return super().get_preds(*arguments, with_loss=with_loss, **options)

    @property
    def train_steps(self):
        "Steps of one epoch."
        return len(self.dls.train)

    def fit_recipe(self, cbs=None, start_epoch=0):
        "Trains for the Recipe's epochs with its schedule; from `start_epoch` on where a checkpoint was restored."
        recipe, cbs = self.recipe, listed(cbs)
        if recipe.freeze:
            cbs = [*cbs, FrozenBody(recipe.freeze)]
        if recipe.schedule == "one-cycle":
            held = recipe.held_momentum
            moms = None if held is None else (held, held, held)
            self.fit_one_cycle(recipe.epochs, recipe.lr, moms=moms, cbs=cbs, start_epoch=start_epoch)
            return self
        if recipe.schedule == "plateau":
            cbs = [*cbs, *([] if hasattr(self, "divided_on_plateau") else [DividedOnPlateau()])]
        rate = current_rate(self.opt) if start_epoch else recipe.lr
        self.fit(recipe.epochs, rate, cbs=cbs, start_epoch=start_epoch)
        return self


def lab_learner(dls, recipe=None, seed=0, **options):
    """The Learner of a Recipe (by default the report's LeNet) on DataLoaders made by fastlab. `seed` settles initial
    weights, data order, augmentation and dropout. Further options are fastai's: cbs, metrics, opt_func, loss_func …
    What the DataLoaders settle (size, crop, batch size, augmentation, split) is taken from them. Raises OptionError."""
    for name in options:
        if name not in OF_FASTAI:
            cure = "Give it in the Recipe." if name in Recipe.names() else nearest(name, (*Recipe.names(), *OF_FASTAI))
            raise OptionError(f"{name}: this is no option of a fastai Learner. {cure}")
    if not isinstance(getattr(dls, "train", None), BatchLoader):
        raise OptionError("dls: these are not DataLoaders of fastlab's, which know their images. Make them with "
                          "folder_dataloaders(folder, …), or of lab_block(arrays).")
    recipe = recipe if recipe is not None else Recipe()
    if not isinstance(recipe, Recipe):
        raise OptionError(f"recipe: {type(recipe).__name__} is no Recipe. Give Recipe(net='lenet', …); for a network "
                          "of your own Recipe(net='MODULE:FUNCTION'), or take Learner(dls, net).")
    data = dls.arrays
    recipe = recipe.changed(batch_size=dls.train.bs, augment=augmentation_of(dls), channels=data.channels,
                            size=data.size[0], crop=crop_size_of(dls), on=dls.on)
    recipe = recipe.resolved(data.channels, data.size[0], precision_for(dls.device or "cpu"))
    net = build_net(recipe, len(data.classes), seed)
    splitter = {"splitter": body_and_head} if recipe.weights or recipe.freeze else {}
    return LabLearner(dls, recipe, net, seed, **{**splitter, **options})


def build_net(recipe, classes, seed):
    "The Recipe's network with the initial weights of `seed`; where shapes agree, variants begin alike."
    with kept_random_state():
        torch.manual_seed(seed_for(seed, "weights"))
        net = build(recipe.net, classes, recipe.channels, recipe.crop, recipe.norm, recipe.dropout, recipe.lrn,
                    recipe.width, **dict(recipe.switches))
    if recipe.weights:
        check_undamaged(recipe.weights)
        load_body(net, recipe.weights)
    return net


def lenet_learner(dls, classic=False, seed=0, **options):
    """A Learner with a LeNet: the report's refined one, or the classic of 1998. Options are a Recipe's fields (norm,
    dropout, l1, l2, optimizer, lr, epochs …) and a fastai Learner's (cbs, metrics, opt_func …)."""
    return _net_learner(dls, "lenet-classic" if classic else "lenet", seed, options)


def alexnet_learner(dls, full=False, seed=0, **options):
    "A Learner with an AlexNet: the report's reduced one, or with `full` that of 2012. Options as for lenet_learner."
    return _net_learner(dls, "alexnet2012" if full else "alexnet", seed, options)


def _net_learner(dls, net, seed, options):
    fields = {name: options.pop(name) for name in Recipe.names() if name in options}
    for name in OF_THE_DATA:
        if name in fields:
            raise OptionError(f"{name}: this is settled by the DataLoaders; give it to folder_dataloaders.")
    if "net" in fields:
        raise OptionError(f"net: this Learner is for {net}; for another network take lab_learner(dls, Recipe(net=…)).")
    return lab_learner(dls, Recipe.for_net(net, **fields), seed, **options)


def crop_size_of(dls):
    "Pixels that the network sees of an image."
    return next((tfm.augmentation.crop_size for tfm in dls.train.after_batch.fs if isinstance(tfm, ToNetwork)),
                dls.arrays.size[0])


def augmentation_of(dls):
    "The word for what the DataLoaders do to training images."
    return next((tfm.augmentation.kind for tfm in dls.train.after_batch.fs if isinstance(tfm, ToNetwork)), "none")


def class_weights(dls, recipe):
    "None, or a weight a class, inverse to how often it stands in the training split, with mean 1 over its images."
    if recipe.class_weights == "none":
        return None
    labels = dls.arrays.labels[dls.arrays.splits["train"]]
    counts = np.bincount(labels, minlength=len(dls.arrays.classes))
    return torch.tensor(len(labels) / (len(counts) * np.maximum(counts, 1)), dtype=torch.float32, device=dls.device)


def _shown_as_images():
    "Has fastai register how it shows results and top losses of images; a second of import, so only where it is due."
    import_module("fastai.vision.learner")
    import_module("fastlab.training.toplosses")


def listed(cbs):
    "Callbacks as a list: one, several or None, as fastai takes them."
    return [cbs] if isinstance(cbs, Callback | type) else list(cbs or [])
