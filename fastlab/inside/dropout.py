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
from fastlab.inside.costs import costs
from fastlab.inside.inputs import checked_labels, in_chunks, prepared, probabilities
from fastlab.nets.steps import evaluating
from fastlab.seeds import kept_random_state, seed_for
from fastlab.training.optimizers import Adam

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


def before_and_after(net):
    """(head, tail) of a network whose parts stand in a row: the parts before its first dropout, whose answers dropout
    does not change, and the rest; of any other network (nothing, the whole)."""
    parts = list(net.children()) if getattr(type(net), "forward", None) is nn.Sequential.forward else []
    for place, part in enumerate(parts):
        if any(isinstance(module, DROPOUTS) for module in part.modules()):
            return nn.Sequential(*parts[:place]), nn.Sequential(*parts[place:])
    return nn.Sequential(), net


def share_after(net, channels, size):
    "The share of a pass's multiplications, for an image of (channels, size, size), that every draw makes anew."
    head, _ = before_and_after(net)
    once = sum(cost.multiplications for cost in costs(head, channels, size)) if len(head) else 0
    total = sum(cost.multiplications for cost in costs(net, channels, size))
    return (total - once) / total if total else 1.0


def prediction_spread(net, images, draws=20, seed=0, chunk=256, mean=0.0, std=1.0):
    """The Spread of the answers to `images` (see `prepared`), each pass with dropout drawn from `seed` and its number.
    What comes before the first dropout is computed once (see `before_and_after`)."""
    images, found = prepared(images, net, mean, std), []
    head, tail = before_and_after(net)
    with kept_random_state(), dropout_on(net):
        for start in range(0, len(images), chunk):
            entered = in_chunks(head, images[start:start + chunk], chunk)
            with evaluating(net):
                still = probabilities(tail, entered, chunk)
            found.append((still, *drawn_answers(tail, entered, still.argmax(1), draws, seed, start)))
    still, average, squares, changed = (np.concatenate(parts) for parts in zip(*found))
    deviation = np.sqrt(np.maximum(squares - average ** 2, 0))
    return Spread(still, average.astype(np.float32), deviation.astype(np.float32), changed, draws)


def drawn_answers(net, images, classes, draws, seed, start):
    "Over all passes: mean probability, mean square, both float64, and share of answers that are not of `classes`."
    total = squares = changed = 0
    for draw in range(draws):
        torch.manual_seed(seed_for(seed, "dropout", draw, start))
        answer = probabilities(net, images, len(images)).astype(np.float64)
        total, squares, changed = total + answer, squares + answer ** 2, changed + (answer.argmax(1) != classes)
    return total / draws, squares / draws, changed / draws


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
    make = optimizer or (lambda parameters: Adam(parameters, lr=1e-3))
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
    "The Euclidean norm of many tensors as one: row by row in their own precision, then in float64."
    rows = [torch.linalg.vector_norm(tensor.reshape(len(tensor), -1) if tensor.ndim else tensor.reshape(1, 1), dim=1)
            for tensor in tensors]
    return float(torch.cat(rows).double().norm())
