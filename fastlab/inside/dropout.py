"""What dropout does: how far answers spread when it stays on in testing, and how large updates are with and without."""
import copy
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from fastlab.errors import OptionError
from fastlab.inside.inputs import checked_labels, prepared, probabilities
from fastlab.nets.steps import evaluating
from fastlab.seeds import kept_random_state, seed_for

DROPOUTS = (nn.Dropout, nn.Dropout2d)


@dataclass(frozen=True)
class Spread:
    """Answers to N images with dropout left on, over `draws` passes. still (N, C): probabilities with dropout off;
    mean and deviation (N, C): of the probabilities with it on; changed (N,): share of passes that gave another class
    than with dropout off."""
    still: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    changed: np.ndarray
    draws: int


def dropouts_of(net):
    "The dropout parts of a network. Raises OptionError where there are none."
    found = [module for module in net.modules() if isinstance(module, DROPOUTS)]
    if not found:
        raise OptionError("net: it has no dropout to leave on; take a network trained with dropout.")
    return found


@contextmanager
def dropout_on(net):
    "Dropout as in training, all other parts as in testing. Afterwards every part is in the mode that it was in."
    with evaluating(net):
        for module in dropouts_of(net):
            module.training = True
        yield net


def prediction_spread(net, images, draws=20, seed=0, chunk=256, mean=0.0, std=1.0):
    "The Spread of the answers to `images` (see `prepared`), each pass with dropout drawn from `seed` and its number."
    images = prepared(images, net, mean, std)
    dropouts_of(net)
    with evaluating(net):
        still = probabilities(net, images, chunk)
    total, squares, changed = np.zeros(still.shape), np.zeros(still.shape), np.zeros(len(still))
    with kept_random_state(), dropout_on(net):
        for draw in range(draws):
            torch.manual_seed(seed_for(seed, "dropout", draw))
            answer = probabilities(net, images, chunk).astype(np.float64)
            total, squares = total + answer, squares + answer ** 2
            changed += answer.argmax(1) != still.argmax(1)
    average = total / draws
    deviation = np.sqrt(np.maximum(squares / draws - average ** 2, 0))
    return Spread(still, average.astype(np.float32), deviation.astype(np.float32), changed / draws, draws)


def update_sizes(net, images, labels, optimizer=None, steps=10, batch_size=64, seed=0, mean=0.0, std=1.0):
    """How large updates are with dropout on and off: the same `steps` batches of `images`, from the same weights.

    `optimizer` makes an optimizer of parameters (torch's Adam at 1e-3, when None). The network itself stays as it is.
    Returns a DataFrame with a row a step and a setting: dropout ('on' or 'off'), step, loss, scores (mean absolute
    score), gradient (norm over all parameters), update_size (norm of the change of all parameters). The report's guess
    (c) is that with dropout on, scores and so updates are smaller."""
    images = prepared(images, net, mean, std)
    labels = checked_labels(labels, images)
    dropouts_of(net)
    order = np.random.Generator(np.random.Philox(seed_for(seed, "order"))).permutation(len(images))
    batches = [torch.as_tensor(np.resize(np.roll(order, -step * batch_size), min(batch_size, len(images))))
               for step in range(steps)]
    make = optimizer or (lambda parameters: torch.optim.Adam(parameters, lr=1e-3))
    rows = []
    with kept_random_state(), torch.enable_grad():
        for setting in ("on", "off"):
            torch.manual_seed(seed_for(seed, "dropout"))
            learner = copy.deepcopy(net).train()
            for module in dropouts_of(learner):
                module.training = setting == "on"
            rows += [{"dropout": setting, "step": number, **row} for number, row in
                     enumerate(updates(learner, make, images, labels, batches))]
    return pd.DataFrame(rows)


def updates(learner, make, images, labels, batches):
    "One step a batch; what each was like."
    parameters = [parameter for parameter in learner.parameters() if parameter.requires_grad]
    optimizer = make(parameters)
    for chosen in batches:
        optimizer.zero_grad(set_to_none=True)
        scores = learner(images[chosen])
        loss = cross_entropy(scores, labels[chosen])
        loss.backward()
        before = [parameter.detach().clone() for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        optimizer.step()
        for parameter, old in zip(parameters, before):
            old.sub_(parameter.detach())
        yield {"loss": float(loss.detach()), "scores": float(scores.detach().abs().mean()),
               "gradient": norm_of(gradients), "update_size": norm_of(before)}


def norm_of(tensors):
    "The Euclidean norm of many tensors as one."
    return float(torch.stack([torch.linalg.vector_norm(tensor, dtype=torch.float64) for tensor in tensors]).norm())
