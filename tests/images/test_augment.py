"""Each augmentation against a loop over images in numpy, and draws that are each image's own."""
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image
from scipy.stats import chisquare

from fastlab.errors import OptionError
from fastlab.images import augment
from fastlab.images.augment import Augmentation, centre_crop, crop, crop_positions, handwriting_grid, mirror, ten_crops

RNG = np.random.default_rng(0)


def pictures(count, channels, height, width=None):
    pixels = RNG.integers(0, 256, (count, height, width or height, channels), dtype=np.uint8)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def uniforms(count, columns, seed=0):
    return torch.rand(count, columns, generator=torch.Generator().manual_seed(seed))


def cropped_one_by_one(images, top, left, size):
    "Each image padded far by its border, then sliced."
    far = 60
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (far, far), (far, far)), mode="edge")
    return np.stack([image[:, t + far:t + far + size, l + far:l + far + size]
                     for image, t, l in zip(padded, top.tolist(), left.tolist())])


@given(some.integers(1, 5), some.sampled_from([1, 3]), some.integers(1, 12), some.integers(1, 12), some.integers(1, 12),
       some.data())
def test_crops_are_those_of_a_loop_that_repeats_the_border(count, channels, height, width, size, data):
    images = pictures(count, channels, height, width)
    top, left = (torch.tensor(data.draw(some.lists(some.integers(-15, 15), min_size=count, max_size=count)))
                 for _ in range(2))
    found = crop(images, top, left, size)
    assert np.array_equal(found.numpy(), cropped_one_by_one(images, top, left, size))


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_crops_do_not_depend_on_the_memory_layout_and_come_out_channels_last(layout):
    images = pictures(6, 3, 20).contiguous(memory_format=layout)
    top, left = torch.arange(6) - 2, torch.arange(6).flip(0) - 2
    found = crop(images, top, left, 16, margin=2)
    assert np.array_equal(found.numpy(), cropped_one_by_one(images, top, left, 16))
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_the_report_s_256_to_224_crops_are_exact():
    images = pictures(3, 3, 256)
    top, left = torch.tensor([0, 32, 11]), torch.tensor([32, 0, 5])
    want = np.stack([image[:, t:t + 224, l:l + 224] for image, t, l in zip(images.numpy(), top, left)])
    assert np.array_equal(crop(images, top, left, 224).numpy(), want)


@pytest.mark.parametrize(("length", "size", "first", "places"), [(256, 224, 0, 33), (28, 28, -2, 5), (32, 28, 0, 5)])
def test_crop_positions_are_uniform_over_every_place(length, size, first, places):
    top, left = crop_positions(uniforms(40_000, 2), length, length, size)
    for found in (top, left):
        counts = np.bincount(found.numpy() - first, minlength=places)
        assert len(counts) == places
        assert chisquare(counts).pvalue > 1e-4
    assert abs(np.corrcoef(top, left)[0, 1]) < 0.02


def test_the_largest_number_below_one_stays_inside():
    top, _ = crop_positions(torch.full((1, 2), 1 - 2 ** -24), 256, 256, 224)
    assert top.item() == 32


def test_mirror_turns_only_the_chosen():
    images = pictures(5, 3, 8)
    chosen = torch.tensor([True, False, True, True, False])
    want = [np.asarray(Image.fromarray(image.permute(1, 2, 0).numpy()).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
            if turned else image.permute(1, 2, 0).numpy() for image, turned in zip(images, chosen)]
    assert np.array_equal(mirror(images, chosen).permute(0, 2, 3, 1).numpy(), np.stack(want))


def test_ten_crops_are_corners_and_centre_and_their_mirrors():
    images = pictures(2, 3, 256)
    pixels, corner, middle = images.numpy(), slice(32, 256), slice(16, 240)
    first = slice(0, 224)
    want = [pixels[:, :, rows, columns] for rows, columns in
            ((first, first), (first, corner), (corner, first), (corner, corner), (middle, middle))]
    found = ten_crops(images, 224)
    assert len(found) == 10
    for number, view in enumerate(want):
        assert np.array_equal(found[number].numpy(), view)
        assert np.array_equal(found[number + 5].numpy(), view[:, :, :, ::-1])
    assert len(ten_crops(images, 224, mirrored=False)) == 5


@pytest.mark.parametrize("length", [10, 11])
def test_the_centre_leaves_as_much_on_either_side(length):
    image = torch.arange(length * length).view(1, 1, length, length)
    assert torch.equal(centre_crop(image, 6), image[:, :, 2:8, 2:8])


def test_handwriting_without_elastic_is_the_affine_map_of_its_numbers():
    drawn, size = uniforms(9, augment.UNIFORMS["handwriting"]), 28
    drawn[:, 6] = 0  # no elastic field
    found = handwriting_grid(drawn, size).double().numpy()
    steps = (np.arange(size) * 2 + 1) / size - 1
    plane = np.stack(np.meshgrid(steps, steps), -1)
    for image, numbers in zip(found, drawn.double().numpy() * 2 - 1):
        angle, lean = numbers[0] * math.radians(12), numbers[1] * 0.20
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        shear, stretch = np.array([[1, lean], [0, 1]]), np.diag(np.exp(numbers[2:4] * 0.12))
        want = plane @ (stretch @ turn @ shear).T + 2 * 0.07 * numbers[4:6]
        assert np.abs(image - want).max() < 1e-5


def test_the_elastic_field_is_smooth_and_as_strong_as_its_number():
    drawn = uniforms(4000, augment.UNIFORMS["handwriting"])
    drawn[:, :6] = 0.5  # no affine part
    steps = (torch.arange(28) * 2 + 1) / 28 - 1
    plane = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1)
    field = handwriting_grid(drawn, 28) - plane
    assert field.mean().abs() < 2e-3
    assert (field[:, 1:] - field[:, :-1]).abs().max() < 0.25 * field.abs().max()
    strength, spread = drawn[:, 6], field.flatten(1).std(1)
    assert np.corrcoef(strength, spread)[0, 1] > 0.8
    assert field[strength < 0.02].abs().max() < 0.03


def test_the_middle_of_all_numbers_bends_nothing():
    images = torch.rand(3, 1, 28, 28)
    drawn = torch.full((3, augment.UNIFORMS["handwriting"]), 0.5)
    assert torch.allclose(augment.handwriting(images, drawn), images, atol=1e-5)


@pytest.mark.parametrize("kind", ["crop", "crop+mirror", "handwriting"])
def test_fault_8_every_image_has_its_own_draw_whatever_batch_it_is_in(kind):
    acts = Augmentation(kind, 28)
    images = pictures(1, 1, 32 if kind != "handwriting" else 28).expand(40, -1, -1, -1)
    drawn = uniforms(40, acts.uniforms)

    def act(part):
        pixels = acts.on_pixels(images[part], drawn[part])
        return acts.on_numbers(pixels.float(), drawn[part])
    whole = act(slice(None))
    parts = torch.cat([act(slice(start, start + 7)) for start in range(0, 40, 7)])
    assert torch.allclose(whole, parts, atol=1e-4)
    assert len({image.numpy().tobytes() for image in whole}) > 15


@pytest.mark.parametrize("channels", [1, 3])
def test_normalised_is_the_formula_in_float64(channels):
    pixels = pictures(4, channels, 6)
    mean, deviation = (0.2, 0.5, 0.7)[:channels], (0.3, 0.25, 0.4)[:channels]
    told = [np.array(values).reshape(1, -1, 1, 1) for values in (mean, deviation)]
    want = (pixels.numpy().astype(np.float64) / 255 - told[0]) / told[1]
    found = augment.normalised(pixels, mean, deviation)
    assert found.dtype == torch.float32
    assert np.abs(found.numpy() - want).max() < 2e-6


@pytest.mark.parametrize("kind", augment.KINDS)
def test_evaluation_sees_the_centre_unbent(kind):
    acts, images = Augmentation(kind, 6), pictures(2, 1, 10)
    assert torch.equal(acts.on_pixels(images, None), centre_crop(images, 6))
    assert acts.on_numbers(images.float(), None).equal(images.float())


def test_a_crop_larger_than_the_image_is_an_error():
    with pytest.raises(OptionError, match="crop_size: 9"):
        Augmentation("crop", 9).on_pixels(pictures(1, 1, 8), uniforms(1, 2))


def test_an_unknown_kind_is_an_error_that_names_the_nearest():
    with pytest.raises(OptionError, match="Did you mean 'crop\\+mirror'"):
        Augmentation("crop+miror", 28)
