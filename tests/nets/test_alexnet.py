"Both AlexNets: counts by hand, shapes at every layer, the orders, the initial weights."
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fastlab.errors import OptionError
from fastlab.nets.alexnet import alexnet, alexnet2012
from fastlab.nets.steps import steps


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


def conv(inputs, outputs, kernel, groups=1):
    return inputs // groups * outputs * kernel ** 2 + outputs


def dense(inputs, outputs):
    return inputs * outputs + outputs


def built_on_meta(**switches):
    "Without memory for 62 million weights: shapes and counts need none."
    with torch.device("meta"):
        return alexnet2012(**switches)


def small_2012(**switches):
    return alexnet2012(**{"classes": 5, "size": 67, "width": 0.06, "dropout": 0, "padding": 0, **switches})


def test_reduced_parameters_counted_by_hand():
    body = conv(1, 16, 5) + conv(16, 32, 5) + conv(32, 96, 3) + conv(96, 64, 3) + conv(64, 64, 3)
    total = body + dense(64 * 7 * 7, 2048) + dense(2048, 2048) + dense(2048, 12)
    assert total == 10_778_796
    assert count(alexnet(12)) == total
    assert count(alexnet(12, norm="batch")) == total + 2 * (16 + 32 + 96 + 64 + 64)


@pytest.mark.parametrize(("size", "padding"), [(227, 0), (224, 2)])
@pytest.mark.parametrize(("grouped", "expected"), [(False, 62_378_344), (True, 60_965_224)])
def test_2012_parameters_counted_by_hand(size, padding, grouped, expected):
    halves = 2 if grouped else 1
    total = (conv(3, 96, 11) + conv(96, 256, 5, halves) + conv(256, 384, 3) + conv(384, 384, 3, halves)
             + conv(384, 256, 3, halves) + dense(256 * 36, 4096) + dense(4096, 4096) + dense(4096, 1000))
    assert total == expected
    net = built_on_meta(size=size, grouped=grouped)
    assert count(net) == total
    assert net.conv1.padding == (padding, padding)


def test_reduced_shapes_at_every_step():
    shapes = {step.name: step.shape for step in steps(alexnet(12, width=1), 1, 28)}
    expected = {"conv1": (16, 28, 28), "pool1": (16, 14, 14), "relu1": (16, 14, 14), "lrn1": (16, 14, 14),
                "conv2": (32, 14, 14), "pool2": (32, 7, 7), "relu2": (32, 7, 7), "lrn2": (32, 7, 7),
                "conv3": (96, 7, 7), "relu3": (96, 7, 7), "conv4": (64, 7, 7), "relu4": (64, 7, 7),
                "conv5": (64, 7, 7), "relu5": (64, 7, 7), "pool5": (64, 7, 7), "flatten": (3136,),
                "dropout6": (3136,), "linear6": (2048,), "relu6": (2048,), "dropout7": (2048,), "linear7": (2048,),
                "relu7": (2048,), "linear8": (12,)}
    assert shapes == expected
    assert list(shapes) == list(expected)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("size", [227, 224])
@pytest.mark.parametrize("order", ["norm-pool", "pool-norm"])
def test_2012_shapes_at_every_layer(size, grouped, order):
    shapes = {step.name: step.shape for step in steps(built_on_meta(size=size, grouped=grouped, order=order), 3, size)}
    reported = {"conv1": (96, 55, 55), "pool1": (96, 27, 27), "conv2": (256, 27, 27), "pool2": (256, 13, 13),
                "conv3": (384, 13, 13), "conv4": (384, 13, 13), "conv5": (256, 13, 13), "pool5": (256, 6, 6),
                "linear6": (4096,), "linear7": (4096,), "linear8": (1000,)}
    assert {name: shapes[name] for name in reported} == reported
    assert shapes["lrn1"] == ((96, 55, 55) if order == "norm-pool" else (96, 27, 27))


def test_reduced_computes_what_the_report_writes():
    torch.manual_seed(5)
    net, x = alexnet(12, width=0.25), torch.randn(4, 1, 28, 28) * 20  # large inputs, so that LRN shows
    h = x
    for part in (net.conv1, net.conv2):
        h = F.max_pool2d(F.relu(F.conv2d(h, part.weight, part.bias, padding=2)), 2)
        h = F.local_response_norm(h, part.out_channels)
    for part in (net.conv3, net.conv4, net.conv5):
        h = F.relu(F.conv2d(h, part.weight, part.bias, padding=1))
    h = F.max_pool2d(h, 1).flatten(1)
    for part in (net.linear6, net.linear7):
        h = F.relu(part(h))
    torch.testing.assert_close(net.eval()(x), net.linear8(h), rtol=1e-5, atol=1e-6)


def paper_lrn(x):
    "Section 3.3 of the paper, channel after channel, in float64."
    s = torch.stack([2 + 1e-4 * (x[:, max(0, i - 2):i + 3] ** 2).sum(1) for i in range(x.shape[1])], 1)
    return x / s ** 0.75


@pytest.mark.parametrize("order", ["norm-pool", "pool-norm"])
@pytest.mark.parametrize("grouped", [False, True])
def test_2012_computes_the_paper_in_either_order(order, grouped):
    torch.manual_seed(6)
    net = small_2012(order=order, grouped=grouped, width=0.125).double().eval()
    x = torch.randn(2, 3, 67, 67, dtype=torch.float64) * 30
    groups, h = (2 if grouped else 1), x
    for part, stride, padding, halves in ((net.conv1, 4, 0, 1), (net.conv2, 1, 2, groups)):
        h = F.relu(F.conv2d(h, part.weight, part.bias, stride, padding, groups=halves))
        h = F.max_pool2d(paper_lrn(h), 3, 2) if order == "norm-pool" else paper_lrn(F.max_pool2d(h, 3, 2))
    for part, halves in ((net.conv3, 1), (net.conv4, groups), (net.conv5, groups)):
        h = F.relu(F.conv2d(h, part.weight, part.bias, padding=1, groups=halves))
    h = F.max_pool2d(h, 3, 2).flatten(1)
    for part in (net.linear6, net.linear7):
        h = F.relu(part(h))
    torch.testing.assert_close(net(x), net.linear8(h), rtol=1e-9, atol=1e-12)


def test_each_half_of_a_grouped_convolution_is_blind_to_the_other():
    net = small_2012(grouped=True, width=0.125)
    x = torch.zeros(1, net.conv2.in_channels, 9, 9)
    changed = x.clone()
    changed[:, :net.conv2.in_channels // 2] = 1
    same = (net.conv2(x) == net.conv2(changed)).flatten(2).all(-1)[0]
    assert same.tolist() == [False] * (len(same) // 2) + [True] * (len(same) // 2)


def test_variants_share_initial_weights():
    def drawn(make, **switches):
        torch.manual_seed(11)
        return dict(make(classes=5, width=0.06, **switches).named_parameters())

    for make, options in ((alexnet, {}), (alexnet2012, {"size": 80}), (alexnet2012, {"size": 80, "init": "paper"})):
        base = drawn(make, norm="none", dropout=0, lrn="none", **options)
        for switches in ({"norm": "batch"}, {"dropout": 0.5}, {"lrn": "paper"}, {"lrn": "torch"}, {}):
            other = drawn(make, **options, **switches)
            assert all(torch.equal(base[name], other[name]) for name in base)


def test_lrn_switches():
    assert not hasattr(alexnet(12, width=0.1, lrn="none"), "lrn1")
    reduced, paper = alexnet(12), alexnet(12, lrn="paper")
    assert (reduced.lrn1.form, reduced.lrn1.size, reduced.lrn2.size, reduced.lrn2.k) == ("torch", 16, 32, 1)
    assert (paper.lrn1.form, paper.lrn1.size, paper.lrn1.k) == ("paper", 5, 2)
    assert (paper.lrn1.alpha, paper.lrn1.beta) == (1e-4, 0.75)
    assert small_2012().lrn2.form == "paper"
    assert small_2012(lrn="torch").lrn1.size == 5


def test_the_papers_initial_weights():
    torch.manual_seed(0)
    net = alexnet2012(classes=10, width=0.25, size=67, padding=0, init="paper")
    ones = {name for name, part in net.named_children() if getattr(part, "bias", None) is not None
            and (part.bias == 1).all()}
    zeros = {name for name, part in net.named_children() if getattr(part, "bias", None) is not None
             and (part.bias == 0).all()}
    assert ones == {"conv2", "conv4", "conv5", "linear6", "linear7"}
    assert zeros == {"conv1", "conv3", "linear8"}
    for part in (net.conv1, net.conv3, net.linear6, net.linear7):
        n = part.weight.numel()
        assert part.weight.mean().item() == pytest.approx(0, abs=5 * 0.01 / n ** 0.5)
        assert part.weight.std().item() == pytest.approx(0.01, rel=5 / (2 * n) ** 0.5)


def test_the_modern_start_keeps_the_signal_and_the_papers_loses_it():
    "Deviation of the last hidden layer's input between images, as a share of that of the first layer's output."
    def kept(init):
        torch.manual_seed(1)
        net = alexnet2012(classes=5, size=67, padding=0, width=0.25, lrn="none", init=init).eval()
        maps = {}
        for name in ("conv1", "linear7"):
            getattr(net, name).register_forward_hook(lambda part, _, output, name=name: maps.update({name: output}))
        net(torch.randn(16, 3, 67, 67))
        return (maps["linear7"].std(0).mean() / maps["conv1"].std(0).mean()).item()

    assert kept("modern") > 0.1
    assert kept("paper") < 0.01


@pytest.mark.parametrize(("make", "switches", "least"), [
    (alexnet, {}, 4), (alexnet2012, {}, 63), (alexnet2012, {"padding": 0}, 67), (alexnet2012, {"padding": 5}, 57)])
def test_every_size_from_the_least_on_and_an_error_below(make, switches, least):
    for size in (least, least + 3):
        net = make(classes=5, channels=2, size=size, width=0.03, **switches)
        assert net(torch.zeros(2, 2, size, size)).shape == (2, 5)
    with pytest.raises(OptionError, match=f"at least {least}x{least}"):
        make(classes=5, size=least - 1, **switches)


@pytest.mark.parametrize(("option", "wrong"), [("order", "pool"), ("init", "he"), ("padding", 6), ("lrn", "pytorch"),
                                               ("norm", "lrn")])
def test_bad_switches_are_named(option, wrong):
    with pytest.raises(OptionError, match=f"^{option}"):
        alexnet2012(**{option: wrong})


def test_parts_that_are_switched_off_are_not_there():
    names = dict(alexnet(12, width=0.1, dropout=0, lrn="none").named_children())
    assert not any(isinstance(part, nn.Dropout) for part in names.values())
    assert set(names) >= {"conv1", "pool1", "relu1", "flatten", "linear6", "linear8"}
