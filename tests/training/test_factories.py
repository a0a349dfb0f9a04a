"""What the makers of Learners refuse, each with its cure."""
import pytest
import torch

from fastlab.errors import OptionError
from fastlab.images.batches import arrays_dataloaders
from fastlab.training.learner import alexnet_learner, lab_learner, lenet_learner


@pytest.fixture
def dls(shape_arrays):
    return arrays_dataloaders(shape_arrays, 24)


@pytest.mark.parametrize(("make", "words"), [
    (lambda dls: lab_learner(dls, torch.nn.Linear(2, 2)), r"recipe: Linear is no Recipe.*MODULE:FUNCTION"),
    (lambda dls: lab_learner(dls, metric=None), "metric: .*no option of a fastai Learner. Did you mean 'metrics'"),
    (lambda dls: lab_learner(dls, dropout=0.2), "dropout: .*Learner. Give it in the Recipe."),
    (lambda dls: lenet_learner(dls, batch_size=8), "batch_size: this is settled by the DataLoaders"),
    (lambda dls: alexnet_learner(dls, net="lenet"), "net: this Learner is for alexnet"),
    (lambda dls: lenet_learner([dls.train, dls.valid]), r"dls: these are not .*folder_dataloaders")])
def test_what_cannot_be_made_is_a_mistake_with_a_cure(dls, make, words):
    with pytest.raises(OptionError, match=words):
        make(dls)
