"Both LeNets: counts by hand, shapes, and the very function that the report writes down."
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fastlab.errors import OptionError
from fastlab.nets.lenet import lenet, lenet_classic
from fastlab.nets.steps import steps


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


def conv(inputs, outputs, kernel):
    return inputs * outputs * kernel ** 2 + outputs


def dense(inputs, outputs):
    return inputs * outputs + outputs


def test_refined_parameters_counted_by_hand():
    plain = conv(1, 16, 5) + conv(16, 32, 5) + dense(32 * 7 * 7, 12)
    assert plain == 32_076
    assert count(lenet(12, norm="none")) == plain
    assert count(lenet(12)) == plain + 2 * (16 + 32) == 32_172


def test_classic_parameters_counted_by_hand():
    total = conv(1, 6, 5) + conv(6, 16, 5) + dense(400, 120) + dense(120, 84) + dense(84, 12)
    assert total == 61_876
    for switches in ({}, {"activation": "relu"}, {"pooling": "max"}, {"dropout": 0.5}):
        assert count(lenet_classic(12, **switches)) == total


def test_refined_computes_what_the_report_writes():
    "conv, BatchNorm, ReLU, maxpool twice, then flatten, dropout, linear: in training mode and in eval mode."
    torch.manual_seed(3)
    net, x = lenet(12, dropout=0), torch.randn(8, 1, 28, 28)
    for norm in (net.norm1, net.norm2):  # negative scales too: pooling must not have slipped in front of BatchNorm
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)

    def reported(batch, training):
        h = batch
        for conv_part, norm in ((net.conv1, net.norm1), (net.conv2, net.norm2)):
            h = F.conv2d(h, conv_part.weight, conv_part.bias, padding=2)
            h = F.batch_norm(h, norm.running_mean.clone(), norm.running_var.clone(), norm.weight, norm.bias, training)
            h = F.max_pool2d(F.relu(h), 2)
        return F.linear(h.flatten(1), net.linear.weight, net.linear.bias)

    assert torch.equal(net.eval()(x), reported(x, False))
    expected = reported(x, True)
    assert torch.equal(net.train()(x), expected)


def test_pooling_before_relu_is_the_same_function_with_the_same_gradient():
    torch.manual_seed(0)
    conv_part, x = nn.Conv2d(1, 16, 5, padding=2), torch.randn(4, 1, 28, 28)
    grads = []
    outputs = [F.relu(F.max_pool2d(conv_part(x), 2)), F.max_pool2d(F.relu(conv_part(x)), 2)]
    for output in outputs:
        conv_part.zero_grad()
        (output ** 2).sum().backward()
        grads.append(conv_part.weight.grad.clone())
    assert torch.equal(*outputs)
    torch.testing.assert_close(*grads)


def test_refined_shapes_at_every_step():
    shapes = {step.name: step.shape for step in steps(lenet(12), 1, 28)}
    assert shapes == {"conv1": (16, 28, 28), "norm1": (16, 28, 28), "pool1": (16, 14, 14), "relu1": (16, 14, 14),
                      "conv2": (32, 14, 14), "norm2": (32, 14, 14), "pool2": (32, 7, 7), "relu2": (32, 7, 7),
                      "flatten": (1568,), "dropout": (1568,), "linear": (12,)}


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_classic_shapes_at_every_step(pooling):
    shapes = {step.name: step.shape for step in steps(lenet_classic(10, pooling=pooling), 1, 28)}
    assert shapes == {"conv1": (6, 28, 28), "act1": shapes["act1"], "pool1": (6, 14, 14), "conv2": (16, 10, 10),
                      "act2": shapes["act2"], "pool2": (16, 5, 5), "flatten": (400,), "linear3": (120,), "act3": (120,),
                      "linear4": (84,), "act4": (84,), "linear5": (10,)}
    assert shapes["act1"] == ((6, 28, 28) if pooling == "average" else (6, 14, 14))


@pytest.mark.parametrize(("activation", "pooling"), [("tanh", "average"), ("relu", "max"), ("tanh", "max")])
def test_classic_switches_compute_what_they_say(activation, pooling):
    net, x = lenet_classic(12, activation=activation, pooling=pooling), torch.randn(3, 1, 28, 28)
    act = getattr(torch, activation)
    pool = F.avg_pool2d if pooling == "average" else F.max_pool2d
    h = pool(act(F.conv2d(x, net.conv1.weight, net.conv1.bias, padding=2)), 2)
    h = pool(act(F.conv2d(h, net.conv2.weight, net.conv2.bias)), 2).flatten(1)
    for part in (net.linear3, net.linear4):
        h = act(F.linear(h, part.weight, part.bias))
    torch.testing.assert_close(net(x), net.linear5(h), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("make", "least"), [(lenet, 4), (lenet_classic, 12)])
def test_every_size_from_the_least_on_and_an_error_below(make, least):
    for size in (least, least + 1, 33, 64):
        assert make(5, channels=3, size=size)(torch.zeros(2, 3, size, size)).shape == (2, 5)
    with pytest.raises(OptionError, match=f"at least {least}x{least}"):
        make(5, size=least - 1)


def test_variants_share_initial_weights():
    def drawn(**switches):
        torch.manual_seed(11)
        return dict(lenet(12, **switches).named_parameters())

    base = drawn(norm="none", dropout=0)
    for switches in ({"norm": "batch"}, {"dropout": 0.5, "norm": "none"}, {}):
        other = drawn(**switches)
        assert all(torch.equal(base[name], other[name]) for name in base)


def test_width_scales_every_hidden_layer():
    net = lenet(12, width=0.5)
    assert (net.conv1.out_channels, net.conv2.out_channels, net.linear.in_features) == (8, 16, 16 * 49)
    assert lenet(12, width=0.001).conv2.out_channels == 1


@pytest.mark.parametrize(("option", "wrong"), [
    ("classes", 0), ("classes", 2.5), ("channels", 0), ("size", "28"), ("norm", "layer"), ("dropout", 1.0),
    ("dropout", -0.1), ("dropout", float("nan")), ("width", 0), ("width", float("nan"))])
def test_bad_options_are_named(option, wrong):
    with pytest.raises(OptionError, match=f"^{option}"):
        lenet(**{option: wrong})


@pytest.mark.parametrize(("option", "wrong"), [("activation", "rleu"), ("pooling", "min")])
def test_bad_classic_switches_are_named(option, wrong):
    with pytest.raises(OptionError, match=f"^{option}"):
        lenet_classic(**{option: wrong})


def test_the_twin_without_pooling_keeps_every_second_value_and_shares_weights():
    torch.manual_seed(1)
    pooled = lenet(12, norm="none", dropout=0)
    torch.manual_seed(1)
    twin, x = lenet(12, norm="none", dropout=0, pooling="none"), torch.randn(2, 1, 28, 28)
    assert all(torch.equal(*pair) for pair in zip(pooled.parameters(), twin.parameters()))
    h = F.relu(twin.conv1(x)[:, :, ::2, ::2])
    h = F.relu(twin.conv2(h)[:, :, ::2, ::2])
    assert torch.equal(twin(x), twin.linear(h.flatten(1)))
    average = lenet(12, norm="none", dropout=0, pooling="average")
    h = F.avg_pool2d(F.relu(average.conv2(F.avg_pool2d(F.relu(average.conv1(x)), 2))), 2)
    assert torch.equal(average(x), average.linear(h.flatten(1)))
    with pytest.raises(OptionError, match=r"^pooling"):
        lenet(12, pooling="mean")
