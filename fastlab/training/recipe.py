"""A Recipe is every choice of one training except data and seed: frozen, comparable, plain enough for JSON and TOML.

No torch is imported here: plans, stores and the command line read Recipes."""
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Integral, Number, Real

from fastlab.errors import OptionError, nearest, one_of

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "one-cycle", "plateau")
L1_FORMS = ("loss", "gradient", "proximal")
PRECISIONS = ("auto", "fp32", "bf16")
AUGMENTS = ("none", "crop", "crop+mirror", "handwriting")
ON = ("train", "total_train")
CLASS_WEIGHTS = ("none", "balanced")
WORDS = {"norm": ("none", "batch"), "lrn": ("none", "torch", "paper"), "optimizer": OPTIMIZERS, "schedule": SCHEDULES,
         "l1_form": L1_FORMS, "augment": AUGMENTS, "class_weights": CLASS_WEIGHTS, "on": ON, "precision": PRECISIONS}
NUMBERS = ("lr", "l1", "l2", "decay", "momentum", "width", "dropout")
OPEN = frozenset({"norm", "dropout", "lrn", "weights", "lr", "size", "crop", "channels"})  # may be None: see `resolved`
RATES = {"adam": 1e-3, "adamw": 1e-3, "sgd": 1e-2}
# what each of fastlab's networks has where a Recipe leaves it open: norm, dropout, lrn
OWN_SWITCHES = {"lenet": ("batch", 0.5, "none"), "lenet-classic": ("none", 0.0, "none"),
                "alexnet": ("none", 0.5, "torch"), "alexnet2012": ("none", 0.5, "paper")}
# the recipe of Krizhevsky et al. 2012, section 5, for 256 px photographs
RECIPE_2012 = {"net": "alexnet2012", "channels": 3, "size": 256, "crop": 224, "augment": "crop+mirror",
               "batch_size": 128, "optimizer": "sgd", "momentum": 0.9, "lr": 1e-2, "schedule": "plateau", "l2": 5e-4,
               "epochs": 90}


def _option(default, help):
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Recipe:
    """One training. Fields left at None are filled by `resolved`: the network's own switches, the optimizer's usual
    rate, the data's size and channels. L2 is added to the gradient, over all parameters; decay is decoupled (AdamW's).
    Source of the defaults: the report, "Training and testing"; lr is assumed there. Raises OptionError."""
    net: str = _option("lenet", "lenet, lenet-classic, alexnet, alexnet2012, torchvision:NAME or MODULE:FUNCTION")
    norm: str | None = _option(None, "none or batch; the network's own if left out")
    dropout: float | None = _option(None, "probability; the network's own if left out")
    lrn: str | None = _option(None, "local response normalisation: none, torch or paper")
    width: float = _option(1.0, "share of the network's own number of maps and units")
    switches: tuple = _option((), "further switches of the network, as (name, value) pairs")
    weights: str | None = _option(None, "safetensors file that the body's weights start from")
    freeze: int = _option(0, "how many of the epochs, from the first, the body stays frozen")
    epochs: int = _option(20, "times that every training image is seen")
    batch_size: int = _option(64, "images a step")
    optimizer: str = _option("adam", "adam, adamw or sgd")
    lr: float | None = _option(None, "learning rate; 1e-3, or 1e-2 for sgd, if left out")
    momentum: float = _option(0.9, "of sgd")
    schedule: str = _option("constant", "constant, one-cycle or plateau (rate / 10 when develop accuracy stalls)")
    l1: float = _option(0.0, "weight of the L1 penalty over all parameters")
    l1_form: str = _option("loss", "loss, gradient or proximal")
    l2: float = _option(0.0, "weight decay added to the gradient, over all parameters")
    decay: float = _option(0.0, "decoupled weight decay")
    augment: str = _option("none", "none, crop, crop+mirror or handwriting")
    class_weights: str = _option("none", "none, or balanced: rare classes weigh more in the loss")
    on: str = _option("train", "train, or total_train = train and develop")
    size: int | None = _option(None, "pixels that the short side of an image is brought to; the data's own if left out")
    crop: int | None = _option(None, "pixels that the network sees of it; all if left out")
    channels: int | None = _option(None, "1 (grey) or 3 (RGB); the data's own if left out")
    precision: str = _option("auto", "auto, fp32 or bf16")

    def __post_init__(self):
        for name in self.names():
            object.__setattr__(self, name, _plain(name, getattr(self, name)))
        for name, words in WORDS.items():
            if getattr(self, name) is not None or name not in OPEN:
                one_of(name.replace("_", "-"), getattr(self, name), words)
        if not self.net or not isinstance(self.net, str):
            raise OptionError(f"net: {self.net!r} is not the name of a network. {nearest('lenet', OWN_SWITCHES)}")
        if self.weights is not None and not isinstance(self.weights, str):
            raise OptionError(f"weights: {self.weights!r} is not the name of a safetensors file.")
        for name in ("epochs", "batch_size", "size", "crop"):
            _whole(name, getattr(self, name), least=1)
        _whole("freeze", self.freeze, least=0)
        for name in NUMBERS:
            _number(name, getattr(self, name))
        self._check_together()

    def _check_together(self):
        for name in ("dropout", "momentum"):
            if (getattr(self, name) or 0) >= 1:
                raise OptionError(f"{name}: {getattr(self, name)!r} must be less than 1; 0 is no {name}.")
        if self.channels not in (None, 1, 3):
            raise OptionError(f"channels: {self.channels!r} is not allowed; 1 is grey, 3 is RGB.")
        if self.crop and self.size and self.crop > self.size:
            raise OptionError(f"crop: {self.crop} is larger than the images' size {self.size}.")
        if self.freeze > self.epochs:
            raise OptionError(f"freeze: {self.freeze} is more than the {self.epochs} epochs that there are.")
        if self.decay and self.l2:
            raise OptionError("l2 and decay: these are two kinds of weight decay, in the gradient and decoupled; "
                              "choose one.")
        if self.decay and self.optimizer != "adamw":
            raise OptionError(f"decay: decoupled decay needs the optimizer adamw, not {self.optimizer}; or take l2.")
        if self.l2 and self.optimizer == "adamw":
            raise OptionError("l2: adamw decouples its decay; take the optimizer adam for l2 in the gradient, "
                              "or decay in its place.")

    @classmethod
    def for_net(cls, net, **changes):
        "The usual Recipe of a network: the report's; for alexnet2012 its paper's, whose rate and L2 are for SGD alone."
        usual = dict(RECIPE_2012) if net == "alexnet2012" else {"net": net}
        if changes.get("optimizer", usual.get("optimizer")) != usual.get("optimizer"):
            usual = {name: value for name, value in usual.items() if name not in ("lr", "l2")}
        return cls(**{**usual, **changes})

    @property
    def held_momentum(self):
        "The momentum that SGD keeps through one-cycle, where it is not the usual one; None for fastai's cycle of it."
        return self.momentum if self.optimizer == "sgd" and self.momentum != Recipe.momentum else None

    def changed(self, **changes):
        "This Recipe with some fields changed. Raises OptionError, also for a field that does not exist."
        for name in changes:
            one_of("recipe", name, self.names())
        return replace(self, **changes)

    @classmethod
    def names(cls):
        "All fields' names, in order."
        return tuple(each.name for each in fields(cls))

    def to_dict(self):
        "Every field as plain data for JSON; TOML, which has no null, leaves out the fields that are None."
        values = {name: getattr(self, name) for name in self.names()}
        return values | {"switches": dict(self.switches)}

    @classmethod
    def from_dict(cls, values):
        "The Recipe that `to_dict` wrote; fields left out have their defaults. Raises OptionError for an unknown field."
        if not isinstance(values, Mapping):
            raise OptionError(f"recipe: {values!r} is not a table of fields.")
        for name in values:
            if name not in cls.names():
                raise OptionError(f"recipe: the field {name!r} is not known. {nearest(name, cls.names())}")
        return cls(**values)

    def resolved(self, channels, size, capability=None):
        """This Recipe with nothing left open: for data of `channels` and `size` (pixels), on a processor whose
        `capability` decides what precision auto means (None leaves it). Another network than fastlab's own has the
        defaults that its function gives norm, dropout and lrn: they stay None."""
        norm, dropout, lrn = OWN_SWITCHES.get(self.net, (None, None, None))
        filled = {"norm": norm, "dropout": dropout, "lrn": lrn, "lr": RATES[self.optimizer], "channels": channels,
                  "size": size}
        changes = {name: value for name, value in filled.items() if getattr(self, name) is None}
        if self.crop is None:
            changes["crop"] = changes.get("size", self.size)
        if self.precision == "auto" and capability is not None:
            changes["precision"] = "bf16" if capability == "bf16" else "fp32"
        return replace(self, **changes)


def crops_of(augment, crop, size):
    """How many crops ten-crop prediction takes of images of `size` pixels: 10, 5 where training does not mirror, 1
    where it takes no crops smaller than the images."""
    smaller = crop is not None and crop < size
    return {"crop": 5, "crop+mirror": 10}.get(augment, 1) if smaller else 1


def _plain(name, value):
    "A field's value in the one form that it is compared, written and hashed in: 1 and 1.0 are the same rate."
    if name == "switches":
        return _switch_pairs(value)
    if isinstance(value, bool) or not isinstance(value, Number):
        return value
    if name in NUMBERS and isinstance(value, Real):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return int(value) if isinstance(value, Integral) else value


def _switch_pairs(switches):
    "Switches, a mapping or pairs, as pairs in the order of their names."
    try:
        pairs = dict(switches)
    except (TypeError, ValueError) as error:
        raise OptionError(f"switches: {switches!r} is not a table of names and values.") from error
    for name, value in pairs.items():
        plain = isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
        if not isinstance(name, str) or not plain:
            raise OptionError(f"switches: {name!r} = {value!r} is not a name with a text, a number, true or false.")
    return tuple(sorted(pairs.items()))


def _whole(name, value, least):
    if value is None and name in OPEN:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"{name.replace('_', '-')}: {value!r} is not a whole number of at least {least}.")


def _number(name, value):
    if value is None and name in OPEN:
        return
    if isinstance(value, bool) or not isinstance(value, float) or not 0 <= value < math.inf:
        raise OptionError(f"{name}: {value!r} is not a number of at least 0.")
    if value == 0 and name in ("lr", "width"):
        raise OptionError(f"{name}: 0 is not allowed; it must be more than 0.")
