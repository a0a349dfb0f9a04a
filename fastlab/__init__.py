"""fastlab: a laboratory for small image classifiers, on fastai. Public names load what they need when first used."""
from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "FastlabError": "fastlab.errors",
    "Recipe": "fastlab.training.recipe",
    "folder_dataloaders": "fastlab.images.batches",
    "lenet_learner": "fastlab.training.learner",
    "alexnet_learner": "fastlab.training.learner",
    "lab_learner": "fastlab.training.learner",
    "load_model": "fastlab.training.modelfile",
    "train": "fastlab.training.train",
    "test": "fastlab.training.test",
    "predict": "fastlab.training.predict",
    "explain": "fastlab.pictures.explain.explain",
    "Study": "fastlab.study.study",
    "advise": "fastlab.study.advise",
}
__all__ = [*_HOMES, "check", "__version__"]


def __getattr__(name):
    "Loads a public name when it is first asked for (PEP 562): `import fastlab` costs no torch."
    if name == "check":
        return import_module("fastlab.check")
    if name not in _HOMES:
        raise AttributeError(f"module 'fastlab' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
