"""The optimizers that leave torch's compiler out are torch's own in every bit, and nothing that trains imports it."""
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

from fastlab.training import optimizers
from fastlab.training.optimizers import optimizer_for
from fastlab.training.recipe import Recipe

KINDS = {"Adam": {"lr": 0.01, "weight_decay": 0.1}, "AdamW": {"lr": 0.01, "weight_decay": 0.1},
         "SGD": {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}}
TRAINS = """
import sys, torch
from torch import nn
from fastlab.training.optimizers import optimizer_for
from fastlab.training.recipe import Recipe
already = "torch._dynamo" in sys.modules
for name in ("adam", "adamw", "sgd"):
    weight = nn.Parameter(torch.ones(3))
    opt = optimizer_for(Recipe(optimizer=name), "cpu")([weight], lr=0.1)
    for _ in range(2):
        opt.zero_grad()
        weight.square().sum().backward()
        opt.step()
    opt.load_state_dict(opt.state_dict())
    assert float(weight.detach().max()) < 1
print("torch._dynamo" in sys.modules and not already)
"""


def stepped(kind, options, fused, reloaded=False):
    "(the weights after six steps, the state's tensors) of an optimizer; with `reloaded` its state is saved halfway."
    generator = torch.Generator().manual_seed(3)
    weights = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((4, 3), (5,))]
    opt = kind(weights, fused=fused, **options)
    for step in range(6):
        opt.zero_grad()
        assert all(weight.grad is None for weight in weights)
        sum((weight * torch.randn(weight.shape, generator=generator)).sin().sum() for weight in weights).backward()
        opt.step()
        if reloaded and step == 2:
            state, opt = opt.state_dict(), kind(weights, fused=fused, **options)
            opt.load_state_dict(state)
    kept = [value for state in opt.state.values() for value in state.values() if isinstance(value, torch.Tensor)]
    return [weight.detach() for weight in weights] + kept


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_steps_and_state_are_torchs_own_bits(name, fused):
    stock = stepped(getattr(torch.optim, name), KINDS[name], fused)
    for reloaded in (False, True):
        ours = stepped(getattr(optimizers, name), KINDS[name], fused, reloaded)
        assert len(ours) == len(stock) > 2
        assert all(torch.equal(one, other) for one, other in zip(ours, stock))


@pytest.mark.parametrize("name", KINDS)
def test_a_step_leaves_no_graph_behind(name):
    weight = nn.Parameter(torch.ones(3))
    opt = getattr(optimizers, name)([weight], fused=True, **KINDS[name])
    weight.square().sum().backward()
    opt.step()
    assert weight.is_leaf
    assert weight.requires_grad
    assert torch.is_grad_enabled()


def test_hooks_of_torch_are_called():
    seen = []
    opt = optimizers.Adam([nn.Parameter(torch.ones(2))])
    opt.register_step_post_hook(lambda *arguments: seen.append("stepped"))
    opt.step()
    assert seen == ["stepped"]


def test_a_learners_choice_of_optimizer_can_be_pickled():
    choice = pickle.loads(pickle.dumps(optimizer_for(Recipe(optimizer="adamw"), "cpu")))
    assert choice.keywords["opt"] is optimizers.AdamW


def test_a_process_that_trains_does_not_import_torchs_compiler():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", TRAINS], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr
