"""Layers over time: counted by hand after every step, on learners of fastlab's and of fastai's, and nothing changed."""
import numpy as np
import pytest
import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from torch import nn

from fastlab.errors import OptionError
from fastlab.inside.overtime import LOOKED_AT, OverTime
from fastlab.training.recipe import Recipe
from fastlab.training.run import learner_for

RECIPE = Recipe(epochs=2, batch_size=24, width=0.25, lr=3e-3, precision="fp32", l1=0.02, l1_form="proximal")


def trained(arrays, *cbs, recipe=RECIPE):
    learn = learner_for(arrays, recipe, 0, cbs=list(cbs))
    with learn.no_bar(), learn.no_logging():
        learn.fit_recipe()
    return learn


def test_marks_are_counts_by_hand_and_the_training_stays_the_same(shape_arrays):
    watch = OverTime(every=2)
    learn, plain = trained(shape_arrays, watch), trained(shape_arrays)
    assert all(torch.equal(one, other) for one, other in zip(learn.model.parameters(), plain.model.parameters()))
    assert watch.marks == [0, 2, 4, 6]      # 72 images in batches of 24, twice
    assert watch.n == 24
    weights = {name: plain.model.get_submodule(name).weight.detach().numpy() for name in ("conv1", "conv2", "linear")}
    assert list(watch.norms) == list(weights)
    for name, values in weights.items():
        assert watch.norms[name][-1] == pytest.approx(np.sqrt((values.astype(float) ** 2).sum()))
        assert watch.zeros[name] == [0, *watch.zeros[name][1:-1], pytest.approx((values == 0).mean())]
    assert watch.zeros["linear"][-1] > 0        # proximal L1 gives exact zeros
    pixels = shape_arrays.images[shape_arrays.splits["develop"]].transpose(0, 3, 1, 2) / 255
    mean, deviation = shape_arrays.statistics
    numbers = torch.tensor((pixels - mean[0]) / deviation[0]).float()
    with torch.no_grad():
        maps = plain.model.eval()[:4](numbers).numpy()      # conv1 norm1 pool1 relu1
    np.testing.assert_allclose(np.sort(watch.values["relu1"][-1]), np.sort(kept(maps)), atol=1e-5)
    assert watch.dead["relu1"][-1] == (maps.max((0, 2, 3)) == maps.min((0, 2, 3))).mean()


def kept(maps):
    flat = maps.ravel()
    return flat[np.linspace(0, len(flat) - 1, min(8192, len(flat))).astype(int)]


def test_without_a_number_of_steps_there_is_a_mark_an_epoch(shape_arrays):
    watch = OverTime()
    trained(shape_arrays, watch)
    assert watch.marks == [0, 3, 6]
    counts, edges = watch.spread("relu2", bins=8)
    assert counts.shape == (3, 8)
    assert (counts.sum(1) == len(watch.values["relu2"][0])).all()
    assert edges[0] == 0
    assert edges[-1] == max(values.max() for values in watch.values["relu2"])
    with pytest.raises(OptionError, match=r"'relu9' is no activation\. Choose one of: relu1, relu2"):
        watch.spread("relu9")


def test_units_that_never_fire_are_dead_on_any_learner_of_fastais():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    with torch.no_grad():
        net[0].bias[:3] = -100
    batches = [(torch.rand(4, 1, 8, 8), torch.randint(0, 2, (4,))) for _ in range(3)]
    watch = OverTime(torch.rand(5, 1, 8, 8), every=1)
    learn = Learner(DataLoaders(batches, batches), net, loss_func=CrossEntropyLossFlat(), cbs=watch)
    with learn.no_bar(), learn.no_logging():
        learn.fit(1, 1e-4)
    assert watch.marks == [0, 1, 2, 3]
    assert watch.dead == {"1": [0.75] * 4}
    assert watch.n == 5


class OneReLU(nn.Module):
    "A ReLU over 4 maps, of which 3 are dead, and over 5 units, of which 2 are."

    def __init__(self):
        super().__init__()
        self.conv, self.flat, self.relu = nn.Conv2d(1, 4, 3), nn.Flatten(), nn.ReLU()
        self.linear, self.last = nn.Linear(4 * 36, 5), nn.Linear(5, 2)
        with torch.no_grad():
            self.conv.bias[:3] = self.linear.bias[:2] = -100

    def forward(self, x):
        return self.last(self.relu(self.linear(self.flat(self.relu(self.conv(x))))))


def test_of_a_relu_that_is_used_again_every_use_is_watched():
    torch.manual_seed(0)
    batches = [(torch.rand(4, 1, 8, 8), torch.randint(0, 2, (4,)))]
    watch = OverTime(torch.rand(9, 1, 8, 8), every=1)
    learn = Learner(DataLoaders(batches, batches), OneReLU(), loss_func=CrossEntropyLossFlat(), cbs=watch)
    with learn.no_bar(), learn.no_logging():
        learn.fit(1, 1e-4)
    assert {name: shares[0] for name, shares in watch.dead.items() if name != "relu#2"} == {"relu": 0.75}
    assert watch.dead["relu#2"][0] >= 0.4
    assert len(watch.dead["relu#2"]) == len(watch.values["relu#2"]) == len(watch.marks) == 2


def test_of_a_large_develop_split_some_images_are_looked_at_evenly(shape_arrays):
    every = np.arange(120)
    learn = learner_for(shape_arrays.with_splits(develop=every), RECIPE.changed(crop=24, augment="crop"), 0)
    watch = OverTime()
    watch.learn = learn
    watch.before_fit()
    assert watch.n == LOOKED_AT == 64
    mean, deviation = shape_arrays.statistics
    rows = np.linspace(0, 119, 64).round().astype(int)
    first = (shape_arrays.images[rows[1], 2:26, 2:26, 0] / 255 - mean[0]) / deviation[0]
    np.testing.assert_allclose(watch.looked[1, 0].numpy(), first, atol=1e-5)


def test_mistakes_are_named(shape_arrays):
    with pytest.raises(OptionError, match="every: 0 steps"):
        OverTime(every=0)
    watch = OverTime()
    watch.learn = learner_for(shape_arrays.with_splits(develop=np.arange(0)), RECIPE, 0)
    with pytest.raises(OptionError, match="no develop split"):
        watch.before_fit()
