"""Scores against plain loops: whole, in chunks, ten crops; and the report's way of testing, one image at a time."""
import numpy as np
import pytest
import torch
from torch import nn
from trainings import QUICK, bits, fitted, same

from fastlab.errors import OptionError
from fastlab.nets import build
from fastlab.training import evaluate
from fastlab.training.evaluate import as_printed, same_in_training_mode, scores
from fastlab.training.run import split_scores

MEAN, DEVIATION = (0.8,), (0.3,)


@pytest.fixture(scope="module")
def trained(shape_arrays):
    "A refined LeNet, trained a little on the shapes, in fp32, with dropout."
    return fitted(shape_arrays, QUICK.changed(precision="fp32"))


def random_images(count, size=28, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def numbers(image, mean=MEAN, deviation=DEVIATION):
    "One uint8 image (H, W, C) as the float32 batch (1, C, H, W) that a network takes, worked out in float64."
    values = (image.astype(np.float64) / 255 - mean) / deviation
    return torch.from_numpy(values.transpose(2, 0, 1)[None]).float()


@torch.no_grad()
def one_by_one(net, images, mean=MEAN, deviation=DEVIATION):
    "A network's scores by a loop over single images, in whatever mode the network is."
    return torch.cat([net(numbers(image, mean, deviation)) for image in images])


# -- eval --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("chunk", [1, 7, 256])
def test_scores_are_those_of_a_loop_image_by_image_however_they_are_cut_into_chunks(trained, monkeypatch, chunk):
    monkeypatch.setattr(evaluate, "CHUNK", chunk)
    images = random_images(15)
    found = scores(trained.model, images, MEAN, DEVIATION)
    trained.model.eval()
    torch.testing.assert_close(found, one_by_one(trained.model, images), rtol=1e-4, atol=1e-4)


def test_no_more_than_a_chunk_is_in_memory_at_once(monkeypatch):
    monkeypatch.setattr(evaluate, "CHUNK", 30)
    seen, net = [], build("lenet", 4)
    net.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    scores(net, random_images(70), MEAN, DEVIATION)
    assert seen == [30, 30, 10]
    seen.clear()
    scores(net, random_images(7, 32), MEAN, DEVIATION, 28, ten_crop=True, mirrored=True)
    assert seen == [30, 30, 10]


def test_a_cropping_network_sees_the_centre(trained):
    images = random_images(5, 36)
    found = scores(trained.model, images, MEAN, DEVIATION, crop=28)
    torch.testing.assert_close(found, scores(trained.model, images[:, 4:32, 4:32], MEAN, DEVIATION))


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("testing", ["eval", "as-printed"])
def test_testing_changes_neither_the_mode_nor_the_weights_nor_the_random_numbers(trained, mode, testing):
    net = trained.model.train(mode)
    kept, state = bits(trained), torch.get_rng_state()
    scores(net, random_images(9), MEAN, DEVIATION, testing=testing)
    assert all(part.training is mode for part in net.modules())
    assert same(bits(trained), kept)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_split_is_scored_in_its_order(trained, shape_arrays):
    mean, deviation = shape_arrays.statistics
    for split, rows in shape_arrays.splits.items():
        trained.model.eval()
        wanted = one_by_one(trained.model, shape_arrays.images[rows], mean, deviation)
        torch.testing.assert_close(split_scores(trained, split), wanted, rtol=1e-4, atol=1e-4)


def test_no_images_have_no_scores(trained):
    assert len(scores(trained.model, random_images(0), MEAN, DEVIATION)) == 0


def test_bfloat16_scores_are_close_to_those_in_float32_and_not_the_same(trained, shape_arrays):
    "bfloat16 keeps 8 bits: rounding once costs 2^-9 of a number; through five layers a few times that."
    mean, deviation = shape_arrays.statistics
    full, half = (scores(trained.model, shape_arrays.images, mean, deviation, precision=precision)
                  for precision in ("fp32", "bf16"))
    assert half.dtype == torch.float32
    assert not torch.equal(full, half)
    assert float((full - half).norm() / full.norm()) < 0.02


# -- ten crops ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mirrored", [True, False])
def test_ten_crop_is_the_mean_probability_of_the_crops_cut_out_by_hand(trained, monkeypatch, mirrored):
    monkeypatch.setattr(evaluate, "CHUNK", 20)
    images, probabilities = random_images(5, 33), []
    trained.model.eval()
    for image in images:
        views = []
        for top, left in ((0, 0), (0, 5), (5, 0), (5, 5), (2, 2)):
            view = image[top:top + 28, left:left + 28]
            views += [view, view[:, ::-1]] if mirrored else [view]
        probabilities.append(np.mean([one_by_one(trained.model, [view]).double().softmax(1)[0].numpy()
                                      for view in views], axis=0))
    found = scores(trained.model, images, MEAN, DEVIATION, 28, ten_crop=True, mirrored=mirrored)
    np.testing.assert_allclose(found.exp().numpy(), probabilities, atol=1e-5)
    np.testing.assert_allclose(found.softmax(1).numpy(), probabilities, atol=1e-5)


def test_ten_crop_and_the_reports_way_cannot_be_together(trained):
    with pytest.raises(OptionError, match="ten_crop"):
        scores(trained.model, random_images(1), MEAN, DEVIATION, testing="as-printed", ten_crop=True)
    with pytest.raises(OptionError, match="Did you mean 'eval'"):
        scores(trained.model, random_images(1), MEAN, DEVIATION, testing="evl")


# -- as printed --------------------------------------------------------------------------------------------------------
def without_dropout(net):
    "The network with every dropout's probability at 0."
    for part in net.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return net


@pytest.mark.parametrize(("net", "size", "channels"), [("lenet", 28, 1), ("alexnet", 28, 3)])
def test_batchnorm_as_printed_is_that_of_a_literal_loop_in_training_mode(net, size, channels, monkeypatch):
    monkeypatch.setattr(evaluate, "CHUNK", 4)
    torch.manual_seed(0)
    net = without_dropout(build(net, 5, channels, size, norm="batch"))
    for part in net.modules():      # weights, biases and running figures that are not those of a new network
        if isinstance(part, nn.BatchNorm2d):
            for values in (part.weight.data, part.bias.data, part.running_mean, part.running_var):
                values.uniform_(0.5, 1.5)
    mean, deviation = (0.6,) * channels, (0.2,) * channels
    images = random_images(10, size, channels)
    found = scores(net, images, mean, deviation, testing="as-printed")
    assert not torch.allclose(found, scores(net, images, mean, deviation), atol=1e-2)
    net.train()
    torch.testing.assert_close(found, one_by_one(net, images, mean, deviation), rtol=1e-3, atol=1e-3)


def test_dropout_as_printed_leaves_out_each_images_own_units_with_its_probability():
    "A network that gives its units as they are: each is 0 with probability p, or 1 / (1 - p)."
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 50), nn.Dropout(0.3))
    nn.init.zeros_(net[1].weight)
    nn.init.ones_(net[1].bias)
    found = scores(net, random_images(400, 2), MEAN, DEVIATION, testing="as-printed", seed=5).numpy()
    np.testing.assert_allclose(np.unique(found), [0, 1 / 0.7], rtol=1e-6)
    assert abs((found == 0).mean() - 0.3) < 4 * (0.3 * 0.7 / found.size) ** 0.5
    assert len(np.unique(found, axis=0)) == 400


def test_dropout_as_printed_depends_on_seed_and_turn_alone(trained):
    def found(**options):
        return scores(trained.model, random_images(8), MEAN, DEVIATION, testing="as-printed", **options)
    first = found(seed=1, turn=2)
    torch.rand(5)
    assert torch.equal(found(seed=1, turn=2), first)
    assert not torch.equal(found(seed=2, turn=2), first)
    assert not torch.equal(found(seed=1, turn=3), first)


def test_batchnorm_over_single_values_cannot_be_tested_as_printed():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.BatchNorm1d(6), nn.Linear(6, 3))
    with pytest.raises(OptionError, match="testing = eval"):
        scores(net, random_images(3, 4), MEAN, DEVIATION, testing="as-printed")
    assert "forward" not in vars(net[2])
    assert len(scores(net, random_images(3, 4), MEAN, DEVIATION)) == 3


def test_a_failure_inside_leaves_the_network_as_it_was(trained):
    with pytest.raises(ZeroDivisionError), as_printed(trained.model, 0):
        raise ZeroDivisionError
    assert all("forward" not in vars(part) for part in trained.model.modules())


def test_a_network_that_says_it_is_the_same_in_training_mode_gives_the_same_bits():
    plain = build("lenet-classic", 4)
    images = random_images(12)
    assert same_in_training_mode(plain)
    assert torch.equal(scores(plain, images, MEAN, DEVIATION),
                       scores(plain, images, MEAN, DEVIATION, testing="as-printed"))
    others = [build("lenet", 4), build("lenet", 4, norm="none"), build("lenet", 4, dropout=0.0),
              nn.Sequential(nn.Flatten(), nn.Linear(784, 4))]     # of a user's own network nothing is known
    assert not any(same_in_training_mode(net) for net in others)
