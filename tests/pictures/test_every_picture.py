"""What holds for every picture: no box for a character, no text outside the figure, units on axes, Axes returned."""
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from fastlab.pictures import (
    calibration,
    comparisons,
    confusion,
    costs,
    curves,
    dropout,
    fields,
    heat,
    invariance,
    kernels,
    layers,
    maps,
    normalising,
    patches,
    results,
)

NAMES = list("博学笃志切问近思自由无用")
LONG = [f"mask_worn_incorrectly_{k:02d}" for k in range(12)]
MIXED = ["incorrect_mask", "automobile", "INCORRECT_MASK", "cat"]
RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (60, 12, 12), np.uint8)
TRUTH = np.repeat(np.arange(12), 5)
SHARES = RNG.dirichlet(np.full(12, 0.3), 60) * 0.5 + 0.5 * np.eye(12)[(TRUTH + (RNG.random(60) < 0.3)) % 12]
SAID = SHARES.argmax(axis=1)
RUNS = RNG.uniform(0.5, 1, (4, 6))
LAYERS = ["conv1", "pool1", "conv2", "linear"]
BOXES = dict(zip(LAYERS, [(3, 3, 8, 8), (3, 3, 9, 9), (0, 0, 12, 12), (-4, -4, 16, 16)]))
HEATS = RNG.normal(size=(4, 12, 12))
COMPARED = ["L1 0.001 in the loss against none, LeNet, batch 64", "BatchNorm against none, batch 1024, 60 epochs"]
VERDICTS = ["no difference that matters", "contradicted"]

PICTURES = {
    "accuracy": lambda: curves.accuracy({"学": RUNS, "plain": RUNS ** 2}),
    "loss": lambda: curves.loss(RUNS),
    "error": lambda: curves.error(RUNS),
    "training": lambda: curves.training({"train": RUNS, "develop": RUNS ** 2}, {"develop": RUNS}),
    "rate finder": lambda: curves.rate_finder(np.logspace(-5, 0, 30), np.linspace(2.5, 0.5, 30), {"valley": 1e-3}),
    "schedule": lambda: curves.schedule(np.linspace(0, 1e-3, 30), np.linspace(0.9, 0.8, 30), 5),
    "confusion": lambda: confusion.matrix(TRUTH, SAID, NAMES),
    "confusion shares": lambda: confusion.matrix(TRUTH, SAID, NAMES, shares=True),
    "confusion of two": lambda: confusion.matrix([0, 1, 1], [0, 1, 0], ["学", "a long name of it"]),
    "confusion, four names": lambda: confusion.matrix([0, 1, 2, 3], [0, 1, 0, 3], MIXED),
    "confusion, three names": lambda: confusion.matrix([0, 1, 2], [0, 1, 0], LONG[:3]),
    "confusion, long names": lambda: confusion.matrix(TRUTH, SAID, LONG),
    "batch, long names": lambda: results.batch(IMAGES, TRUTH, LONG),
    "results, long names": lambda: results.results(IMAGES, TRUTH, SHARES, LONG),
    "results, mixed names": lambda: results.results(IMAGES, TRUTH, SHARES, MIXED * 3),
    "mistakes, long names": lambda: results.mistakes(IMAGES, TRUTH, SHARES, LONG, files=[f"{k}.png" for k in TRUTH]),
    "pairs, long names": lambda: results.pairs(IMAGES, TRUTH, SHARES, LONG, count=3),
    "maps, long names": lambda: maps.through(IMAGES[0], {"conv1": HEATS, "linear": SHARES[0]}, LONG),
    "maps, four names": lambda: maps.through(IMAGES[0], {"linear": SHARES[0, :4]}, LONG[:4]),
    "heat, long names": lambda: heat.attention(IMAGES[:2], {"Grad-CAM": HEATS[:2], "occlusion": HEATS[2:]},
                                               [f"{LONG[0]} taken for {LONG[11]}  > 0.99", f"{LONG[1]}  0.51"]),
    "batch": lambda: results.batch(IMAGES, TRUTH, NAMES, count=9),
    "results": lambda: results.results(IMAGES, TRUTH, SHARES, NAMES, count=9),
    "mistakes": lambda: results.mistakes(IMAGES, TRUTH, SHARES, NAMES, files=[f"学/{k}.png" for k in range(60)]),
    "one mistake": lambda: results.mistakes(IMAGES, TRUTH, SHARES, NAMES, count=1),
    "no mistake": lambda: results.mistakes(IMAGES, TRUTH, np.eye(12)[TRUTH], NAMES),
    "pairs": lambda: results.pairs(IMAGES, TRUTH, SHARES, NAMES, count=3),
    "reliability": lambda: calibration.reliability(TRUTH, SHARES),
    "per class": lambda: calibration.per_class(TRUTH, SAID, NAMES),
    "against": lambda: calibration.against(TRUTH, {"one crop": SHARES, "ten crops, averaged": SHARES ** 2}),
    "ensemble": lambda: calibration.ensemble(TRUTH, np.stack([SHARES, SHARES ** 2])),
    "paired differences": lambda: comparisons.pairs(dict(zip(COMPARED, RUNS))),
    "forest": lambda: comparisons.forest(COMPARED, [0, 1], [-1, 0.5], [1, 1.5], 10, VERDICTS),
    "powers": lambda: comparisons.powers([0, 1, 2], {"10 seeds": [0.05, 0.6, 1]}, 10),
    "zeros": lambda: layers.zeros({"proximal": RUNS}),
    "dead": lambda: layers.dead({"relu1": RUNS[0]}, n=500),
    "sizes": lambda: layers.sizes({"conv1": RUNS[0]}),
    "histogram": lambda: layers.histogram(RNG.integers(0, 9, (6, 8)), np.arange(9)),
    "marks": lambda: layers.sizes({"conv1": RUNS[0], "linear": 9 * RUNS[1]}, log=True, times=range(0, 60, 10)),
    "normalised": lambda: normalising.normalised({"a": RUNS[0, :4]}, {"a": RUNS[0, :4]}, {"a": RUNS[0, :4]}, LAYERS, 9),
    "contrast": lambda: normalising.contrast([0.5, 0.6], [0.6, 0.6], ["conv1, the paper's", "conv1, PyTorch's"], 64),
    "lrn": lambda: normalising.lrn({"damping": [0.4, 1e-4], "unlike": [3.8e-4, 1.5e-4]}, ["paper", "torch"], 64),
    "kernels": lambda: kernels.first_layer(RNG.normal(size=(16, 1, 5, 5))),
    "one kernel": lambda: kernels.first_layer(RNG.normal(size=(1, 1, 5, 5))),
    "one colour kernel": lambda: kernels.first_layer(RNG.normal(size=(1, 3, 5, 5))),
    "variances of 0": lambda: normalising.normalised(*[{"a": np.zeros(4)}] * 3, LAYERS, 9),
    "colour kernels": lambda: kernels.first_layer(RNG.normal(size=(96, 3, 11, 11))),
    "maps": lambda: maps.through(IMAGES[0], {"conv1": HEATS, "linear": SHARES[0]}, NAMES),
    "patches": lambda: patches.best(RNG.random((20, 9, 5, 5)), "conv1", 60),
    "heat": lambda: heat.attention(IMAGES[:2], {"occlusion": HEATS[:2]}, ["学  0.98", "问  0.51"]),
    "fields": lambda: fields.theoretical(IMAGES[0], list(BOXES.values()), LAYERS),
    "effective": lambda: fields.effective(IMAGES[0], dict(zip(LAYERS, abs(HEATS))), BOXES, dict.fromkeys(LAYERS, 4), 9),
    "invariance": lambda: invariance.answers(range(-6, 7), {"pooling": np.linspace(0, 1, 13)}, 60),
    "panels": lambda: invariance.panels({"rotation": ((-45, -30, -20, -10, -5, 0, 5, 10, 20, 30, 45), np.ones(11)),
                                         "noise": ((0, 0.05, 0.1, 0.5), (1, 0.9, 0.7, 0.2))}, 240),
    "steps": lambda: invariance.steps([1, 0.8, 0.7, 0.2], LAYERS, 60, ["pool1"]),
    "costs": lambda: costs.layers(LAYERS, {"multiplications": [1e6, 0, 2e7, 4e3], "time (ms)": [1, 2, 3, 0.1]}),
    "prior": lambda: costs.prior(LAYERS, [400, 1, 1e4, 2e4], [3e5, 1, 2e6, 2e4], [1e7, 1, 2e7, 2e4]),
    "spread": lambda: dropout.spread(RUNS[0], RUNS[1], RUNS[2] / 9, RUNS[3] > 0.7, 20),
    "updates": lambda: dropout.updates({"dropout on": RUNS[0], "dropout off": RUNS[1]}),
}



@contextmanager
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", PICTURES)
def test_with_a_chinese_font_every_character_has_a_glyph(name, with_han):
    figure = np.ravel(PICTURES[name]())[0].figure
    with no_warning():
        figure.draw_without_rendering()
    assert not any("U+" in text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize("name", PICTURES)
def test_with_dejavu_alone_too_and_nothing_leaves_the_figure(name, only_dejavu):
    axes = PICTURES[name]()
    figure = np.ravel(axes)[0].figure
    with no_warning():
        figure.draw_without_rendering()
    for part in (*figure.axes, *figure.texts):
        box = part.get_tightbbox() if isinstance(part, Axes) else part.get_window_extent()
        assert min(box.x0, box.y0) >= -2, part
        assert (box.max <= figure.bbox.max + 2).all(), part
    for ax in np.ravel(axes):
        assert isinstance(ax, Axes)
        assert ax.images or ax.get_xlabel() or not ax.axison
        assert ax.images or ax.get_ylabel() or not any(map(is_number, ax.get_yticklabels())) or not ax.axison


def words(figure):
    "Titles, headings, labels of axes and those of ticks that are drawn: all texts but those inside a picture."
    for ax in figure.axes:
        if ax.axison:
            for axis in (ax.xaxis, ax.yaxis):
                low, high = sorted(axis.get_view_interval())
                slack = 1e-9 * (high - low)
                ticks = [tick.label1 for tick, place in zip(axis.get_major_ticks(), axis.get_majorticklocs())
                         if low - slack <= place <= high + slack] if axis.get_visible() else []
                yield from (text for text in (*ticks, axis.label) if text.get_visible() and text.get_text().strip())
        titles = [part for part in ax.get_children() if isinstance(part, Text) and part not in ax.texts]
        yield from (text for text in titles if text.get_text().strip())
    yield from figure.texts


@pytest.mark.parametrize("name", PICTURES)
def test_no_words_lie_on_other_words(name, with_han):
    figure = np.ravel(PICTURES[name]())[0].figure
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in words(figure)]
    assert boxes or name in ("no mistake",)
    for place, (one, box) in enumerate(boxes):
        for other, another in boxes[place + 1:]:
            over = box.intersection(box, another)
            assert over is None or min(over.width, over.height) <= 1, f"{one!r} lies on {other!r}"


def is_number(tick):
    return tick.get_text().replace("−", "").replace(".", "").isdigit()
