"The networks: fastlab's four, torchvision's and the user's own, by name."
from fastlab.nets.normalisation import LocalResponseNorm
from fastlab.nets.registry import NETS, build, own_switches
from fastlab.nets.weights import body_and_head, load_body

__all__ = ["NETS", "LocalResponseNorm", "body_and_head", "build", "load_body", "own_switches"]
