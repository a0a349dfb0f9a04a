"""What a training's choices can be told to be wrong before a single image is decoded."""
from pathlib import Path

from fastlab.errors import OptionError
from fastlab.images.folder import SPLITS
from fastlab.nets.registry import check_net
from fastlab.training.machine import device_for, threads_set
from fastlab.training.writable import check_writable


def check_choices(recipe, device="auto", threads=None, save=None, folder=None):
    """Raises OptionError for a network, switch, device, number of threads or file of weights that is not there, and for
    a `save` that cannot be written or would lie among the images of `folder`."""
    switches = {name: getattr(recipe, name) for name in ("norm", "dropout", "lrn")} | dict(recipe.switches)
    check_net(recipe.net, switches)
    device_for(device)
    with threads_set(threads):
        pass
    if recipe.weights and not Path(recipe.weights).is_file():
        raise OptionError(f"weights: {recipe.weights}: there is no such file. Name a .safetensors file.")
    if save is not None:
        check_writable(save)
        check_not_among_images(save, folder)


def check_not_among_images(save, folder):
    "An OptionError for a file in one of a folder's class folders, which would be taken for an image."
    if folder is None:
        return
    home, top = Path(save).resolve().parent, Path(folder).resolve()
    if home.is_relative_to(top) and home != top and home.name not in SPLITS:
        raise OptionError(f"--save {save}: this lies among the images of {folder}, and would be read as one of them. "
                          "Name a file outside its class folders.")
