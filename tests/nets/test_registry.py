import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fastlab.errors import OptionError
from fastlab.nets import build, own_switches
from fastlab.nets.registry import source_of


def tiny(classes, channels=1, size=28):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size ** 2, classes))


@pytest.fixture
def here(tmp_path, monkeypatch):
    "A directory of one's own with a module in it."
    (tmp_path / "mynets_for_test.py").write_text(
        "from torch import nn\n"
        "def small(classes, size):\n    return nn.Sequential(nn.Flatten(), nn.Linear(size * size, classes))\n"
        "def needs(classes, depth):\n    return nn.Linear(depth, classes)\n"
        "def listed(classes):\n    return [classes]\n"
        "number = 3\n")
    (tmp_path / "broken_for_test.py").write_text("def net(:\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for module in ("mynets_for_test", "broken_for_test"):
        sys.modules.pop(module, None)


@pytest.mark.parametrize("net", ["lenet", "lenet-classic", "alexnet"])
@pytest.mark.parametrize(("classes", "channels", "size"), [(12, 1, 28), (2, 3, 32), (101, 2, 17)])
def test_lab_networks_take_their_images(net, classes, channels, size):
    built = build(net, classes, channels, size, width=0.2)
    assert built(torch.zeros(2, channels, size, size)).shape == (2, classes)
    assert built.training


def test_left_out_switches_are_the_networks_own():
    assert hasattr(build("lenet", 12), "norm1")
    assert hasattr(build("lenet", 12), "dropout")
    assert not hasattr(build("alexnet", 12, width=0.1), "norm1")
    assert hasattr(build("alexnet", 12, width=0.1), "lrn1")
    assert own_switches("lenet") == {"norm": "batch", "dropout": 0.5, "width": 1.0, "pooling": "max"}
    assert own_switches("alexnet2012")["order"] == "norm-pool"


def test_switches_reach_the_network():
    net = build("alexnet2012", 4, 3, 67, norm="batch", dropout=0.25, lrn="torch", width=0.05, order="pool-norm",
                padding=0)
    names = list(dict(net.named_children()))
    assert names.index("pool1") < names.index("lrn1")
    assert net.dropout6.p == 0.25
    assert net.lrn1.form == "torch"
    assert not hasattr(build("lenet", 12, lrn="none", norm="none", dropout=0), "dropout")


@pytest.mark.parametrize(("arguments", "message"), [
    ({"net": "lenett"}, "Did you mean 'lenet'"),
    ({"net": "lenet", "lrn": "paper"}, "lrn: lenet has no local response"),
    ({"net": "lenet", "order": "pool-norm"}, "order: lenet has no such switch"),
    ({"net": "alexnet2012", "pading": 2}, "Did you mean 'padding'"),
    ({"net": "lenet-classic", "pooling": "maximum"}, "pooling"),
    ({"net": "nowhere_at_all:net"}, "module 'nowhere_at_all'.*current directory"),
    ({"net": "math:sqr"}, "no function 'sqr'. Did you mean 'sqrt'"),
    ({"net": "nets/mine.py:net"}, "as Python imports it"),
    ({"net": ":net"}, "cannot be imported"),
    ({"net": "torchvision:resnet81"}, "Did you mean 'resnet18'"),
    ({"net": "torchvision:resnet18", "lrn": "paper"}, "lrn: torchvision:resnet18"),
    ({"net": "torchvision:resnet18", "width": 0.5}, "width: torchvision:resnet18"),
    ({"net": "torchvision:resnet18", "order": "pool-norm"}, "order: torchvision:resnet18")])
def test_mistakes_are_named_with_their_cure(arguments, message):
    with pytest.raises(OptionError, match=message):
        build(**{"classes": 12, **arguments})


def test_a_function_is_called_with_what_it_takes():
    assert build(tiny, 7, 3, 8)[1].weight.shape == (7, 192)
    assert build(lambda **options: tiny(**options), 7, 1, 8)[1].weight.shape == (7, 64)
    assert build(lambda *, classes: nn.Sequential(nn.Flatten(), nn.LazyLinear(classes)), 4)(
        torch.zeros(1, 1, 28, 28)).shape == (1, 4)

    def switchable(classes, size, dropout=0.0, depth=1):
        return nn.Sequential(nn.Flatten(), nn.Dropout(dropout), *[nn.Identity()] * depth, nn.Linear(size ** 2, classes))

    net = build(switchable, 4, size=6, dropout=0.3, depth=2)
    assert net[1].p == 0.3
    assert len(net) == 5


def test_a_module_in_the_current_directory_is_found(here):
    path = list(sys.path)
    assert build("mynets_for_test:small", 6, 1, 9)(torch.zeros(1, 1, 9, 9)).shape == (1, 6)
    assert sys.path == path


@pytest.mark.parametrize(("net", "message"), [
    ("mynets_for_test:smal", "no function 'smal'. Did you mean 'small'"),
    ("mynets_for_test:number", "no function 'number'"),
    ("mynets_for_test:needs", "needs 'depth'"),
    ("mynets_for_test:listed", "gave a list"),
    ("broken_for_test:net", "cannot be imported")])
def test_mistakes_in_a_users_module_are_named(here, net, message):
    with pytest.raises(OptionError, match=message):
        build(net, 6)


@pytest.mark.parametrize(("function", "message"), [
    (lambda classes: nn.Sequential(nn.Flatten(), nn.Linear(784, classes + 1)), r"gave \(1, 13\).*\(1, 12\)"),
    (lambda classes: nn.Linear(100, classes), "failed.*1x28x28|1x28x28.*failed"),
    (lambda classes: nn.Conv2d(1, classes, 3), r"gave \(1, 12, 26, 26\)"),
    (lambda classes: nn.LSTM(28, classes), "failed|gave a|gave tuple"),
    (lambda classes: None, "gave a NoneType")])
def test_networks_that_do_not_fit_are_refused(function, message):
    with pytest.raises(OptionError, match=message):
        build(function, 12)


def test_building_is_a_function_of_the_global_seed_alone_and_the_check_draws_nothing():
    def noisy(classes):
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, classes))

    torch.manual_seed(4)
    first, following = build(noisy, 3), torch.rand(3)
    torch.manual_seed(4)
    again, expected = noisy(3), torch.rand(3)
    assert torch.equal(first[2].weight, again[2].weight)
    assert torch.equal(following, expected)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"net": "torchvision:resnet18", "dropout": 0.3}, "dropout: torchvision:resnet18 has no such switch"),
    ({"net": "torchvision:resnet18", "norm": "none"}, "norm: torchvision:resnet18 has no such switch"),
    ({"net": tiny, "depht": 4}, "depht: the function of tiny has no such argument; it takes .*classes"),
    ({"net": tiny, "norm": "batch"}, "norm: the function of tiny"),
    ({"net": tiny, "width": 2.0}, "width: the function of tiny")])
def test_a_switch_that_would_be_dropped_is_an_error(arguments, message):
    with pytest.raises(OptionError, match=message):
        build(**{"classes": 12, "size": 8, **arguments})


def test_options_that_take_everything_get_what_was_asked_for():
    seen = {}

    def open_net(classes, **options):
        seen.update(options)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))
    build(open_net, 3, 1, 8, dropout=0.3, depth=4)
    assert seen == {"channels": 1, "size": 8, "dropout": 0.3, "depth": 4}
    seen.clear()
    build(open_net, 3, 1, 8, norm="none", dropout=0.0)
    assert seen == {"channels": 1, "size": 8, "norm": "none", "dropout": 0.0}
    assert build(tiny, 3, 1, 8, norm="none", dropout=0.0)[1].weight.shape == (3, 64)    # fastlab adds neither


def test_the_source_of_a_network_is_a_file_or_none(here, monkeypatch):
    assert source_of("mynets_for_test:small") == str(here / "mynets_for_test.py")
    assert source_of("lenet") is source_of("torchvision:resnet18") is None
    space = {"__name__": "in_a_notebook_for_test"}
    exec(compile("def cell(classes): ...\nclass Made: ...\nthing = Made()", "<cell 1>", "exec"), space)
    monkeypatch.setitem(sys.modules, "in_a_notebook_for_test", SimpleNamespace(**space))
    space["Made"].__call__ = lambda self: None
    for name in ("cell", "Made", "thing"):
        assert source_of(f"in_a_notebook_for_test:{name}") is None
