"""Who carries out a run: a function named by its module, so that any process, here or on another machine, finds it."""
import time
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

from fastlab.errors import FastlabError, OptionError
from fastlab.study.data import narrowed, opened
from fastlab.study.record import encode

REAL = "fastlab.training.run:carry_out"
OF_A_NET = ("net", "norm", "dropout", "lrn", "width", "switches", "weights", "crop", "channels")


@dataclass(frozen=True)
class Runner:
    """`path`: MODULE:FUNCTION with the signature of `fastlab.training.run.carry_out`. `device`: cpu, cuda or mps.
    `capability`: 'bf16' or 'fp32', what precision auto means in the whole study, whoever does the runs."""
    path: str = REAL
    device: str = "cpu"
    capability: str = "fp32"

    @classmethod
    def here(cls, device="cpu"):
        "The real runner, with the precision that this machine's hardware is made for; imports torch."
        from fastlab.training.machine import device_for, precision_for
        device = device_for(device)
        return cls(REAL, device.type, precision_for(device))

    @cached_property
    def function(self):
        module, _, name = self.path.partition(":")
        return getattr(import_module(module), name)

    def __getstate__(self):
        return {"path": self.path, "device": self.device, "capability": self.capability}

    def check(self, runs, classes):
        """Builds the network of every kind of run once, so that a mistake in it is told before the first run, not by
        each of them. `classes`: of the whole folder. Raises OptionError that names the variant."""
        if self.path != REAL:
            return
        from fastlab.training.learner import build_net
        built = set()
        for run in runs:
            net = run.recipe, run.classes or classes
            kind = *(getattr(run.recipe, name) for name in OF_A_NET), net[1]
            if kind not in built:
                built.add(kind)
                try:
                    build_net(*net, run.seed)
                except FastlabError as error:
                    raise OptionError(f"the variant {run.label!r}: {error}") from error

    @property
    def options(self):
        "What the real function is told besides arrays, Recipe, seed and marks."
        return {"device": self.device} if self.path == REAL else {}

    def carry_out(self, arrays, run):
        "The bytes of one run's result, on Arrays that are narrowed as the run asks."
        left = narrowed(arrays, run.classes, run.images_a_class)
        return encode(run.key, self.function(left, run.recipe, run.seed, marks=run.marks, **self.options), run.told())


def work(folder, run, runner):
    "One run in a process of its own: the arrays are opened from `folder`. Returns (bytes, seconds)."
    started = time.perf_counter()
    content = runner.carry_out(opened(str(folder)), run)
    return content, time.perf_counter() - started
