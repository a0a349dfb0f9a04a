"""Which networks the page shows when none is named: those of `models/`, else the one that comes with fastlab."""
from importlib.resources import files
from pathlib import Path

from fastlab.errors import OptionError

PACKAGED = ("fastlab.training", "lenet-strokes.safetensors")
HERE = Path("models")
MOST_MODELS = 4


def packaged_model():
    "The path of the network that comes with fastlab, a small LeNet trained on drawn strokes; None where there is none."
    package, name = PACKAGED
    place = files(package) / name
    return Path(str(place)) if place.is_file() else None


def models_to_show(named, here=HERE):
    """The model files to show and a sentence that says which were taken, '' where they were named. `named`: paths, up
    to MOST_MODELS; without one, the newest file in `here`, else the packaged one. Raises OptionError."""
    if len(named) > MOST_MODELS:
        raise OptionError(f"MODEL: {len(named)} models; at most {MOST_MODELS} are shown side by side.")
    if named:
        return [Path(path) for path in named], ""
    found = sorted(here.glob("*.safetensors"), key=lambda path: path.stat().st_mtime) if here.is_dir() else []
    if found:
        return [found[-1]], f"No model named: showing {found[-1]}, the newest in {here}/."
    packaged = packaged_model()
    if packaged is None:
        raise OptionError("MODEL: none is named and there is none in models/. Train one: fastlab train --save "
                          "models/mine.safetensors, then: fastlab draw models/mine.safetensors.")
    return [packaged], ("No model named and none in models/: showing the LeNet that comes with fastlab, trained on "
                        "drawn strokes. To train your own: fastlab train FOLDER --save models/mine.safetensors.")
