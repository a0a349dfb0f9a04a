"""What a Recipe may be made of: the plain Recipe and parts that change it, each of which can be taken away again.

Shares are how often a part is drawn: what the report and the field found useful more often than the rest."""
from dataclasses import dataclass
from math import log2

from fastlab.seeds import numpy_generator
from fastlab.study.schedule import WEIGHTS
from fastlab.training.recipe import OWN_SWITCHES, RATES, Recipe

# the least side, in pixels, that each of fastlab's networks takes
LEAST_SIZE = {"lenet": 4, "lenet-classic": 12, "alexnet": 4, "alexnet2012": 63}
SHARES = {"lenet": 0.5, "lenet-classic": 0.06, "alexnet": 0.3, "alexnet2012": 0.04}
RATE_STEPS = {0.3: 0.1, 1.0: 0.35, 3.0: 0.4, 10.0: 0.15}  # times the optimizer's usual rate
USUAL = {"adam": 0.6, "adamw": 0.2, "sgd": 0.2}
PLAIN = Recipe()
# a part's name and the fields that it changes, in the order in which people read them
PARTS = {"network": ("net", "width"), "normalisation": ("norm",), "dropout": ("dropout",), "augmentation": ("augment",),
         "schedule": ("schedule",), "optimizer": ("optimizer", "decay"), "rate": ("lr",), "batch size": ("batch_size",),
         "L1": ("l1",), "L2": ("l2",), "class weights": ("class_weights",), "epochs": ("epochs",)}


@dataclass(frozen=True)
class Space:
    """The Recipes that a folder allows. `size`: pixels a side; `symmetric`: classes survive mirroring; `unequal`: some
    classes have far more images than others; `images`: to train on."""
    size: int
    symmetric: bool = False
    unequal: bool = False
    images: int = 5000

    @property
    def nets(self):
        return tuple(net for net, least in LEAST_SIZE.items() if self.size >= least)

    @property
    def augmentations(self):
        return {"handwriting": 0.45, "crop": 0.2, "none": 0.15} | ({"crop+mirror": 0.35} if self.symmetric else {})

    @property
    def batch_sizes(self):
        "None that leaves an epoch with fewer than ten steps, the plain one apart."
        return {64: 0.5} | {size: 0.25 for size in (16, 32, 128) if size * 10 <= self.images and
                            (size != 16 or self.images < 2000)}

    def candidates(self, seed, count):
        """`count` different Recipes: the plain one, then one for each network and augmentation with what usually pays,
        then draws. The first ones do not depend on how many follow."""
        found = list(dict.fromkeys([PLAIN, *self._usual()]))
        number = 0
        while len(found) < count and number < 50 * count:
            drawn = self.drawn(seed, number)
            number += 1
            if drawn not in found:
                found.append(drawn)
        return found[:count]

    def _usual(self):
        cycle = PLAIN.changed(schedule="one-cycle", lr=3 * RATES["adam"])
        best = "crop+mirror" if self.symmetric else "handwriting"
        yield cycle.changed(augment=best)
        yield PLAIN.changed(net="alexnet", schedule="one-cycle", augment=best)
        for kind in self.augmentations:
            yield cycle.changed(augment=kind)
        yield PLAIN.changed(augment=best)

    def drawn(self, seed, number):
        "A random Recipe: draw `number` of a seed, by the shares above."
        generator = numpy_generator(seed, "search", number)

        def one(shares):
            words, weights = list(shares), list(shares.values())
            return words[int(generator.choice(len(words), p=[weight / sum(weights) for weight in weights]))]
        net = one({net: SHARES[net] for net in self.nets})
        optimizer, step = one(USUAL), one(RATE_STEPS)
        norm, dropout, _ = OWN_SWITCHES[net]
        fields = {"net": net, "optimizer": optimizer, "lr": _rate(optimizer, step),
                  "width": one({1.0: 0.8, 2.0: 0.2}) if net == "lenet" else 1.0,
                  "norm": one({None: 0.7, {"batch": "none", "none": "batch"}[norm]: 0.3}),
                  "dropout": one({None: 0.5, **{share: 0.25 for share in (0.0, 0.25, 0.5) if share != dropout}}),
                  "augment": one(self.augmentations), "batch_size": one(self.batch_sizes),
                  "schedule": one({"one-cycle": 0.7, "constant": 0.3}), "l1": one({0.0: 0.9, 1e-5: 0.1}),
                  "l2": 0.0 if optimizer == "adamw" else one({0.0: 0.7, 1e-4: 0.2, 5e-4: 0.1}),
                  "decay": one({0.01: 0.6, 0.1: 0.4}) if optimizer == "adamw" else 0.0,
                  "class_weights": one({"none": 0.6, "balanced": 0.4}) if self.unequal else "none"}
        return Recipe(**fields)


def _rate(optimizer, step):
    "A rate of so many times the optimizer's usual one, in two figures; the usual one is left open."
    return None if abs(step - 1) < 1e-6 else float(f"{step * RATES[optimizer]:.2g}")


def _rate_step(recipe):
    return round((recipe.lr or RATES[recipe.optimizer]) / RATES[recipe.optimizer], 6)


def parts_of(recipe, plain=PLAIN):
    "The names of the parts in which a Recipe differs from the plain one."
    return tuple(name for name, fields in PARTS.items() if (
        _rate_step(recipe) != _rate_step(plain) if name == "rate" else
        any(getattr(recipe, field) != getattr(plain, field) for field in fields)))


def without(recipe, parts, plain=PLAIN):
    "A Recipe with some of its parts as the plain one has them; its rate stays in proportion to the optimizer's usual."
    changes = {field: getattr(plain, field) for part in parts for field in PARTS[part]}
    if "optimizer" in parts and "rate" not in parts:
        changes["lr"] = _rate(plain.optimizer, _rate_step(recipe))
    changed = recipe.changed(**changes)
    norm, dropout, _ = OWN_SWITCHES[changed.net]  # what is a network's own anyway is no part of its Recipe
    return changed.changed(norm=None if changed.norm == norm else changed.norm,
                           dropout=None if changed.dropout == dropout else changed.dropout)


def complexity(recipe, plain=PLAIN):
    """What makes one Recipe simpler than another: fewer parts, each doubling of an epoch's work counted as one more (an
    AlexNet is not as simple as dropout); then less work an epoch, then fewer epochs."""
    return len(parts_of(recipe, plain)) + max(log2(_work(recipe) / _work(plain)), 0), _work(recipe), recipe.epochs


def _work(recipe):
    return WEIGHTS.get(recipe.net, 5.0) * recipe.width ** 1.5


def said(recipe, part):
    "A part of a Recipe in words, such as 'one-cycle' or 'dropout 0.25'."
    names = {"lenet": "LeNet", "lenet-classic": "the LeNet of 1998", "alexnet": "the reduced AlexNet",
             "alexnet2012": "the AlexNet of 2012"}
    wide = f" at {recipe.width:g} times its width" if recipe.width != 1 else ""
    decay = f", decay {recipe.decay:g}" if recipe.decay else ""
    told = {"network": names.get(recipe.net, recipe.net) + wide,
            "normalisation": "BatchNorm" if recipe.norm == "batch" else "no BatchNorm",
            "dropout": f"dropout {recipe.dropout:g}" if recipe.dropout else "no dropout",
            "augmentation": f"augmentation {recipe.augment}", "schedule": f"schedule {recipe.schedule}",
            "optimizer": {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD"}[recipe.optimizer] + decay,
            "rate": f"rate {recipe.lr or RATES[recipe.optimizer]:g}", "batch size": f"batch size {recipe.batch_size}",
            "L1": f"L1 {recipe.l1:g}", "L2": f"L2 {recipe.l2:g}", "class weights": "balanced class weights",
            "epochs": f"{recipe.epochs} epochs"}
    return told[part]


def described(recipe, plain=PLAIN):
    "A Recipe in one line: how it differs from the plain one."
    return ", ".join(said(recipe, part) for part in parts_of(recipe, plain)) or "the plain Recipe"
