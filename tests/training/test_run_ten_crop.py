"""A run on crops also keeps what ten crops of every test image give, as `predict` with ten crops does."""
import numpy as np
import pytest

from fastlab.images.augment import ten_crops
from fastlab.training.recipe import Recipe
from fastlab.training.run import carry_out, learner_for


def trained(arrays, **changes):
    return Recipe(**{"epochs": 1, "augment": "crop+mirror", "crop": 24, "precision": "fp32", **changes})


@pytest.mark.parametrize(("augment", "crops"), [("crop", 5), ("crop+mirror", 10)])
def test_ten_crops_are_averaged_crop_by_crop(shape_arrays, augment, crops):
    import torch
    recipe = trained(shape_arrays, augment=augment)
    kept = carry_out(shape_arrays, recipe, 3).marks[1]
    learn = learner_for(shape_arrays, recipe, 3)
    with learn.no_bar(), learn.no_logging():
        learn.fit_recipe()
    pixels = torch.from_numpy(np.array(shape_arrays.images[shape_arrays.splits["test"]])).permute(0, 3, 1, 2)
    mean, deviation = shape_arrays.statistics
    views = ten_crops(pixels, 24, augment == "crop+mirror")
    assert len(views) == crops
    net = learn.model.eval()
    with torch.no_grad():
        shares = [net((view.float() / 255 - mean[0]) / deviation[0]).softmax(1).numpy() for view in views]
    wanted = np.mean(shares, 0)
    np.testing.assert_allclose(kept["test_ten_crop_probabilities"].astype(float), wanted, atol=2e-3)
    assert (kept["test_ten_crop"] == wanted.argmax(1)).mean() > 0.95  # float16 may break a tie
    assert (kept["test_probabilities"] != kept["test_ten_crop_probabilities"]).any()


@pytest.mark.parametrize("changes", [{"augment": "none"}, {"crop": 28}, {"augment": "handwriting", "crop": 28}])
def test_without_smaller_crops_there_is_nothing_to_average(shape_arrays, changes):
    assert "test_ten_crop" not in carry_out(shape_arrays, trained(shape_arrays, **changes), 0).marks[1]
