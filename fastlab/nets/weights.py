"""Starting from trained weights: the body of the same network from a safetensors file, and fastai's layer groups."""
from pathlib import Path

import torch
from torch import nn

from fastlab.errors import ModelFileError, OptionError
from fastlab.files import storage_problem


def head_of(net):
    "(name, module) of the layer that gives the classes: the last linear layer, else the last convolution."
    for kind in (nn.Linear, nn.Conv2d):
        found = [(name, module) for name, module in net.named_modules() if isinstance(module, kind)]
        if found:
            return found[-1]
    raise OptionError("net: it has neither a linear layer nor a convolution, so it has no head to train apart.")


def body_and_head(net):
    "fastai's splitter: two layer groups, the parameters of the body and those of the head, for freeze and fine_tune."
    head = list(head_of(net)[1].parameters())
    own = {id(parameter) for parameter in head}
    return [[parameter for parameter in net.parameters() if id(parameter) not in own], head]


def load_body(net, path):
    """Loads all but the head of `net` from the safetensors file `path`, matched by name; the head stays as it is.
    Returns the names loaded, in the network's order. Raises ModelFileError, naming every tensor that does not fit, and
    then the network is untouched. A head in the file is passed over, whatever its shape. BatchNorm's batch counters may
    be missing."""
    stored = read_tensors(path)
    head = head_of(net)[0] + "."
    wanted = {name: tensor for name, tensor in net.state_dict().items() if not name.startswith(head)}
    optional = {name for name in {**wanted, **stored} if name.endswith("num_batches_tracked")}
    problems = misfits(wanted, {name: tensor for name, tensor in stored.items() if not name.startswith(head)}, optional)
    if problems:
        raise ModelFileError(f"{path}: these tensors do not fit the network: {'; '.join(problems)}. "
                             "Choose the network and the switches that the weights were trained with.")
    loaded = [name for name in wanted if name in stored]
    net.load_state_dict({name: stored[name] for name in loaded}, strict=False)
    return loaded


def read_tensors(path):
    "{name: tensor} of a safetensors file; such a file cannot run code. Raises ModelFileError or StorageError."
    from safetensors import SafetensorError
    from safetensors.torch import load
    try:
        return load(Path(path).read_bytes())
    except OSError as error:
        raise storage_problem(path, error) from error
    except SafetensorError as error:
        raise ModelFileError(f"{path}: not a whole safetensors file ({error}). Save the state dict with "
                             "safetensors.torch.save_file.") from error


def misfits(wanted, stored, optional):
    "A sentence for every tensor that is missing, unknown, of another shape or not finite, in the order of `wanted`."
    problems = [f"{name} {tuple(tensor.shape)} is missing" for name, tensor in wanted.items()
                if name not in stored and name not in optional]
    for name, tensor in stored.items():
        if name not in wanted:
            if name not in optional:
                problems.append(f"{name} {tuple(tensor.shape)} is not in the network")
        elif tensor.shape != wanted[name].shape:
            problems.append(f"{name} is {tuple(tensor.shape)} and the network's is {tuple(wanted[name].shape)}")
        elif tensor.is_floating_point() and not torch.isfinite(tensor).all():
            problems.append(f"{name} holds values that are not finite")
    return problems
