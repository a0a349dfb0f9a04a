"""From a word to a network: fastlab's four, any of torchvision's, or a user's own. Nothing is ever downloaded."""
import inspect
import sys
from contextlib import contextmanager
from importlib import import_module
from os import getcwd
from os.path import isfile

import torch
from torch import nn

from fastlab.errors import OptionError, nearest
from fastlab.nets.alexnet import alexnet, alexnet2012
from fastlab.nets.lenet import lenet, lenet_classic
from fastlab.nets.steps import evaluating, zero_image
from fastlab.nets.torchvision_nets import check_name, torchvision_net
from fastlab.seeds import kept_random_state

NETS = {"lenet": lenet, "lenet-classic": lenet_classic, "alexnet": alexnet, "alexnet2012": alexnet2012}
NOT_ASKED = (("width", 1), ("lrn", "none"))  # what any network has
FORWARD_MISTAKES = (RuntimeError, ValueError, TypeError, IndexError, AttributeError, AssertionError)


def build(net, classes, channels=1, size=28, norm=None, dropout=None, lrn=None, width=1.0, **switches):
    """A new network that takes (N, channels, size, size) float images and gives (N, classes) scores.

    `net` is one of NETS, 'torchvision:NAME', 'MODULE:FUNCTION' (also from the current directory) or a function.
    `norm`, `dropout` and `lrn` of None are the network's own (see `own_switches`); further `switches` are those of its
    function, such as alexnet2012's order='pool-norm'. A user's function is called with as many of classes, channels,
    size, norm, dropout, lrn, width and the switches as its signature names; what was asked for and is not among them is
    an error. torchvision's networks take none of them.
    Initial weights come from torch's global generator. Raises OptionError."""
    asked = {"norm": norm, "dropout": dropout, "lrn": lrn, "width": width, **switches}
    if callable(net):
        return own_net(net, getattr(net, "__name__", repr(net)), classes, channels, size, asked)
    net = str(net)
    if net in NETS:
        return NETS[net](classes=classes, channels=channels, size=size, **given_switches(net, asked))
    check_net(net, asked)
    home, _, name = net.partition(":")
    if home == "torchvision":
        return checked(torchvision_net(name, classes, channels), net, classes, channels, size)
    return own_net(function_of(home, name, net), net, classes, channels, size, asked)


def check_net(net, asked):
    """Raises an OptionError that `build` would raise, as far as that can be told before there are images: for a word
    that names no network, and for one of the switches `asked` that the network lacks."""
    net = str(net)
    home, colon, name = net.partition(":")
    if net in NETS:
        given_switches(net, asked)
    elif not colon:
        raise OptionError(f"net: {net!r} is not known. {nearest(net, [*NETS, 'torchvision:NAME', 'MODULE:FUNCTION'])}")
    elif home == "torchvision":
        check_name(name)
        check_unused(net, asked)
    else:
        taken_by(function_of(home, name, net), net, asked)


def own_switches(net):
    "{switch: default} of one of NETS: what `build` uses for a switch left at None, and which switches there are."
    parameters = inspect.signature(NETS[net]).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters
            if parameter.name not in ("classes", "channels", "size")}


def given_switches(net, asked):
    "{switch: value} of what was asked of one of NETS. Raises OptionError for a switch that it has not."
    given = {switch: value for switch, value in asked.items() if value is not None}
    known = own_switches(net)
    if "lrn" not in known and given.pop("lrn", "none") != "none":
        raise OptionError(f"lrn: {net} has no local response normalisation; leave it at none, or take an AlexNet.")
    for switch in given:
        if switch not in known:
            raise OptionError(f"{switch}: {net} has no such switch. {nearest(switch, known)}")
    return given


def check_unused(net, asked):
    "An OptionError for a switch, since torchvision's networks follow none."
    for switch, value in asked.items():
        if value is not None and (switch, value) not in NOT_ASKED:
            raise OptionError(f"{switch}: {net} has no such switch; leave it out.")


@contextmanager
def importing_from_here():
    "The current directory among the places where Python looks for modules, as with `python -m`."
    here = getcwd()
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


def function_of(module, name, net):
    "The function that 'MODULE:FUNCTION' names. Raises OptionError for either part that is not there."
    if module.endswith(".py") or "/" in module:
        raise OptionError(f"net: {net!r} names a file; give the module as Python imports it: no slashes and no .py.")
    try:
        with importing_from_here():
            home = import_module(module)
    except (ImportError, SyntaxError, ValueError) as error:
        raise OptionError(f"net: module {module!r} of {net!r} cannot be imported: {error}. "
                          "It must be installed or lie in the current directory.") from error
    if not callable(getattr(home, name, None)):
        functions = [word for word, value in vars(home).items() if callable(value) and not word.startswith("_")]
        cure = nearest(name, functions) if functions else "It defines no function."
        raise OptionError(f"net: module {module!r} has no function {name!r}. {cure}")
    return getattr(home, name)


def source_of(net):
    "The file with the code of a user's own network, 'MODULE:FUNCTION'; None of any other, or where there is none."
    home, colon, name = str(net).partition(":")
    if not colon or home == "torchvision":
        return None
    try:
        file = inspect.getsourcefile(function_of(home, name, net))
    except (TypeError, OSError):  # neither function nor class; or made where there is no file
        return None
    return file if file and isfile(file) else None


def taken_by(function, net, asked):
    """The names of the arguments that a user's function takes, with **options whatever was asked for. Raises an
    OptionError for a switch that was asked for and is not among them."""
    parameters = inspect.signature(function).parameters.values()
    taken = {parameter.name for parameter in parameters
             if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)}
    wanted = {switch for switch, value in asked.items() if value is not None and (switch, value) not in NOT_ASKED}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        taken |= {"classes", "channels", "size", *wanted}
    for switch in sorted(wanted - taken):
        if (switch, asked[switch]) in (("norm", "none"), ("dropout", 0)):
            continue  # fastlab adds neither to a network of one's own
        raise OptionError(f"{switch}: the function of {net} has no such argument; it takes "
                          f"{', '.join(sorted(taken)) or 'none'}.")
    return taken


def own_net(function, net, classes, channels, size, asked):
    "A user's function, called with what its signature takes, and its network checked."
    offered = {"classes": classes, "channels": channels, "size": size,
               **{switch: value for switch, value in asked.items() if value is not None}}
    taken = taken_by(function, net, asked)
    for parameter in inspect.signature(function).parameters.values():
        required = parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL,
                                                                                   parameter.VAR_KEYWORD)
        if required and (parameter.name not in offered or parameter.kind is parameter.POSITIONAL_ONLY):
            raise OptionError(f"net: {net} needs {parameter.name!r}, and is called with classes=, channels= and size= "
                              f"alone; give {parameter.name!r} a default.")
    built = function(**{name: value for name, value in offered.items() if name in taken})
    return checked(built, net, classes, channels, size)


def checked(built, net, classes, channels, size):
    "The network itself, once a zero image has given (1, classes). Raises OptionError."
    if not isinstance(built, nn.Module):
        raise OptionError(f"net: {net} gave a {type(built).__name__}; it must give a torch.nn.Module.")
    given = f"net: {net}, given one image of {channels}x{size}x{size},"
    try:
        with kept_random_state(), evaluating(built), torch.no_grad():
            scores = built(zero_image(built, channels, size))
    except FORWARD_MISTAKES as error:
        raise OptionError(f"{given} failed: {error}. Does it take this size and these channels?") from error
    if not torch.is_tensor(scores) or tuple(scores.shape) != (1, classes):
        shape = tuple(scores.shape) if torch.is_tensor(scores) else type(scores).__name__
        raise OptionError(f"{given} gave {shape}; it must give (1, {classes}), one score a class.")
    return built
