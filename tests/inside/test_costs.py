"""Counts against counts by hand, and against those of the papers."""
import pytest
import torch
from torch import nn

from fastlab.inside.costs import cost_table, costs, timed
from fastlab.nets.alexnet import alexnet2012
from fastlab.nets.lenet import lenet, lenet_classic


def by_name(net, channels, size):
    return {cost.name: cost for cost in costs(net, channels, size)}


def test_refined_lenet_counted_by_hand():
    found = by_name(lenet(12), 1, 28)
    assert found["conv1"].multiplications == 28 * 28 * 16 * 25
    assert found["conv2"].multiplications == 14 * 14 * 32 * 25 * 16
    assert found["linear"].multiplications == 1568 * 12
    assert found["norm1"].multiplications == 28 * 28 * 16
    assert found["pool1"].multiplications == found["relu1"].multiplications == 0
    assert found["conv2"].parameters == 25 * 16 * 32 + 32
    assert found["conv2"].connections == found["conv2"].unshared == 14 * 14 * 32 * (25 * 16 + 1)
    assert found["conv2"].dense == (16 * 14 * 14) * (32 * 14 * 14) + 32 * 14 * 14
    assert found["pool2"].connections == 7 * 7 * 32 * 4
    assert found["conv1"].activation_bytes == 16 * 28 * 28 * 4
    assert found["linear"].parameter_bytes == (1568 * 12 + 12) * 4


def test_lenet_of_1998_has_the_papers_connections():
    "LeCun and others 1998, section II.B: C1 has 156 parameters and 122,304 connections, C5 48,120, F6 10,164."
    found = by_name(lenet_classic(10), 1, 28)
    assert (found["conv1"].parameters, found["conv1"].connections) == (156, 122_304)
    assert found["linear3"].connections == 48_120
    assert found["linear4"].connections == 10_164


@pytest.mark.parametrize("grouped", [False, True])
def test_alexnet_counted_by_hand(grouped):
    with torch.device("meta"):
        net = alexnet2012(1000, grouped=grouped)
    found, halves = by_name(net, 3, 227), 2 if grouped else 1
    expected = {"conv1": 55 * 55 * 96 * 363, "conv2": 27 * 27 * 256 * 96 * 25 // halves,
                "conv3": 13 * 13 * 384 * 256 * 9, "conv4": 13 * 13 * 384 * 384 * 9 // halves,
                "conv5": 13 * 13 * 256 * 384 * 9 // halves, "linear6": 9216 * 4096, "linear7": 4096 * 4096,
                "linear8": 4096 * 1000}
    assert {name: found[name].multiplications for name in expected} == expected
    assert sum(cost.parameters for cost in found.values()) == (60_965_224 if grouped else 62_378_344)
    assert found["lrn1"].multiplications == 4 * 55 * 55 * 96


def test_the_table_ends_with_totals():
    net = lenet(12)
    table = cost_table(net, 1, 28).set_index("name")
    assert table.parameters["total"] == 32_172
    assert table.multiplications["total"] == table.multiplications.drop("total").sum()
    assert table.parameters.dtype.kind == "i"
    assert list(table.index[:-1]) == list(dict(net.named_children()))


def test_parts_that_are_used_twice_cost_twice_and_are_stored_once():
    shared = nn.Linear(4, 4)
    net = nn.Sequential(nn.Flatten(), shared, nn.ReLU(), shared)
    found = costs(net, 1, 2)
    assert [cost.parameters for cost in found] == [0, 20, 0, 0]
    assert [cost.multiplications for cost in found] == [0, 16, 0, 16]


class Clock:
    "A clock that goes on only while a `Worker` works: what is read is exact, however busy the machine."
    now = 0.0

    def __call__(self):
        return self.now


class Worker(nn.Module):
    def __init__(self, clock, milliseconds):
        super().__init__()
        self.clock, self.milliseconds = clock, milliseconds

    def forward(self, x):
        self.clock.now += self.milliseconds / 1000
        return x


def test_milliseconds_go_to_the_part_that_took_them(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("fastlab.inside.costs.perf_counter", clock)
    net = nn.Sequential(Worker(clock, 8), nn.Sequential(Worker(clock, 2), nn.Flatten()))
    table = timed(net, torch.rand(2, 1, 3, 3), rounds=3).set_index("name")
    assert list(table.index) == ["0", "1.0", "1.1", "elsewhere"]
    assert table.milliseconds.to_numpy() == pytest.approx([8, 2, 0, 0])
    assert table.n.eq(3).all()
    assert table.low.to_numpy() == pytest.approx(table.milliseconds)
    assert all(not part._forward_hooks and not part._forward_pre_hooks for part in net.modules())


def test_measured_time_joins_the_table():
    net = lenet(12)
    table = cost_table(net, 1, 28, timed(net, torch.rand(2, 1, 28, 28), rounds=2)).set_index("name")
    assert table.milliseconds["total"] == pytest.approx(table.milliseconds.drop("total").sum())
