"""A Recipe is every choice of one training except data and seed: frozen, comparable, plain enough for JSON and TOML.

No torch is imported here: plans, stores and the command line read Recipes."""
import math
from dataclasses import dataclass, field, fields, replace

from fastlab.errors import OptionError, nearest, one_of

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "one-cycle", "plateau")
L1_FORMS = ("loss", "gradient", "proximal")
PRECISIONS = ("auto", "fp32", "bf16")
AUGMENTS = ("none", "crop", "crop+mirror", "handwriting")
ON = ("train", "total_train")
CLASS_WEIGHTS = ("none", "balanced")
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
    freeze: int = _option(0, "epochs in which the body stays frozen")
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
        object.__setattr__(self, "switches", tuple(sorted(dict(self.switches).items())))
        for name, words in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("l1_form", L1_FORMS), ("on", ON),
                            ("augment", AUGMENTS), ("class_weights", CLASS_WEIGHTS), ("precision", PRECISIONS)):
            one_of(name.replace("_", "-"), getattr(self, name), words)
        for name in ("norm", "lrn"):
            if getattr(self, name) is not None:
                one_of(name, getattr(self, name), {"norm": ("none", "batch"), "lrn": ("none", "torch", "paper")}[name])
        for name in ("epochs", "batch_size", "size", "crop"):
            _whole(name, getattr(self, name), least=1, optional=name in ("size", "crop"))
        _whole("freeze", self.freeze, least=0)
        for name in ("lr", "l1", "l2", "decay", "momentum", "width", "dropout"):
            _number(name, getattr(self, name))
        self._check_together()

    def _check_together(self):
        if self.dropout is not None and self.dropout >= 1:
            raise OptionError(f"dropout: {self.dropout!r} must be less than 1; 0 is no dropout.")
        if self.momentum >= 1:
            raise OptionError(f"momentum: {self.momentum!r} must be less than 1.")
        if self.channels not in (None, 1, 3):
            raise OptionError(f"channels: {self.channels!r} is not allowed; 1 is grey, 3 is RGB.")
        if self.crop and self.size and self.crop > self.size:
            raise OptionError(f"crop: {self.crop} is larger than the images' size {self.size}.")
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
        "The usual Recipe of a network: the report's, and for alexnet2012 that of its paper."
        return cls(**{**(RECIPE_2012 if net == "alexnet2012" else {"net": net}), **changes})

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
        "Every field as plain data for JSON and TOML."
        values = {name: getattr(self, name) for name in self.names()}
        return values | {"switches": dict(self.switches)}

    @classmethod
    def from_dict(cls, values):
        "The Recipe that `to_dict` wrote; fields left out have their defaults. Raises OptionError for an unknown field."
        for name in values:
            if name not in cls.names():
                raise OptionError(f"recipe: the field {name!r} is not known. {nearest(name, cls.names())}")
        return cls(**values)

    def resolved(self, channels, size, capability=None):
        """This Recipe with nothing left open: for data of `channels` and `size` (pixels), on a processor whose
        `capability` decides what precision auto means (None leaves it)."""
        norm, dropout, lrn = OWN_SWITCHES.get(self.net, ("none", 0.0, "none"))
        filled = {"norm": norm, "dropout": dropout, "lrn": lrn, "lr": RATES[self.optimizer], "channels": channels,
                  "size": size}
        changes = {name: value for name, value in filled.items() if getattr(self, name) is None}
        if self.crop is None:
            changes["crop"] = changes.get("size", self.size)
        if self.precision == "auto" and capability is not None:
            changes["precision"] = "bf16" if capability == "bf16" else "fp32"
        return replace(self, **changes)


def _whole(name, value, least, optional=False):
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"{name.replace('_', '-')}: {value!r} is not a whole number of at least {least}.")


def _number(name, value):
    if value is None and name in ("lr", "dropout"):
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise OptionError(f"{name}: {value!r} is not a number of at least 0.")
    if value == 0 and name in ("lr", "width"):
        raise OptionError(f"{name}: 0 is not allowed; it must be more than 0.")
