import torch
from torch import nn

from fastlab.nets.lenet import lenet
from fastlab.nets.steps import evaluating, steps


class Twice(nn.Module):
    "One ReLU used twice, and a part that never runs."

    def __init__(self):
        super().__init__()
        self.first, self.relu, self.unused = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Linear(2, 2)
        self.inner = nn.Sequential(nn.Conv2d(4, 6, 3, stride=2), nn.Flatten())

    def forward(self, x):
        return self.relu(self.inner(self.relu(self.first(x))))


def test_steps_are_in_order_of_computing_with_both_shapes():
    seen = [(step.name, step.input_shape, step.shape) for step in steps(Twice(), 1, 9)]
    assert seen == [("first", (1, 9, 9), (4, 7, 7)), ("relu", (4, 7, 7), (4, 7, 7)), ("inner.0", (4, 7, 7), (6, 3, 3)),
                    ("inner.1", (6, 3, 3), (54,)), ("relu", (54,), (54,))]


def test_nothing_is_changed_by_looking():
    net = lenet(12)
    net.norm2.eval()
    modes = [part.training for part in net.modules()]
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.get_rng_state()
    steps(net, 1, 28)
    assert [part.training for part in net.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(not part._forward_hooks for part in net.modules())


def test_evaluating_gives_the_modes_back_after_an_error():
    net = lenet(12)
    try:
        with evaluating(net):
            assert not net.training
            raise KeyError
    except KeyError:
        assert net.training
        assert net.norm1.training


def test_double_precision_networks_are_looked_at_too():
    assert steps(lenet(12).double(), 1, 28)[-1].shape == (12,)


def test_the_source_of_every_step_is_known_or_said_to_be_unknown():
    assert [step.source for step in steps(lenet(12), 1, 28)] == list(range(-1, 10))

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.last = nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(inplace=True), nn.Flatten()

        def forward(self, x):
            return self.last(self.two(self.one(x)) + x)

    assert [step.source for step in steps(Residual(), 1, 5)] == [-1, 0, None]
