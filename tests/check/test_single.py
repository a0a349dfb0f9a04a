"""Sizes, emptiness and inversion: at which pixel they begin."""
import numpy as np
import pytest
from PIL import Image
from planted import drawing, write_good

from fastlab.check.folder import check

SHAPE = (64, 64)


def told(good, pixels, kind):
    "The findings of a kind on one more image in a good folder."
    Image.fromarray(pixels).save(good / "train" / "ant" / "x.png")
    return [finding.reason for finding in check(good, False, jobs=1).of(kind) if "train/ant/x.png" in finding.files]


def marked(count, ink, ground=255):
    pixels = np.full(SHAPE, ground, np.uint8)
    pixels.ravel()[2000:2000 + count] = ink
    return pixels


@pytest.mark.parametrize(("count", "empty"), [(1, True), (16, True), (17, False)])
def test_almost_empty_ends_at_four_pixels_in_a_thousand(good, count, empty):
    reasons = told(good, marked(count, 0), "empty")
    assert bool(reasons) == empty
    if empty:
        assert f"{count / 40.96:.2f} %" in reasons[0]


@pytest.mark.parametrize(("ink", "words"), [(250, "nothing is on it"), (246, "almost empty"), (223, "almost empty"),
                                            (222, None)])
def test_faint_marks_count_once_they_can_be_seen(good, ink, words):
    reasons = told(good, marked(900, ink), "empty")
    assert [words in reason for reason in reasons] == ([True] if words else [])


@pytest.mark.parametrize(("width", "height", "words"), [
    (7, 64, "fewer than 8"), (8, 64, "very long"), (16, 65, "very long"), (16, 64, "where the others have 64×64"),
    (64, 64, None), (256, 256, "where the others have"), (257, 256, "over 16 times"),
    (16, 16, "where the others have"), (15, 16, "less than a 16th")])
def test_sizes_are_told_from_their_limits_on(good, width, height, words):
    pixels = np.asarray(Image.fromarray(drawing(np.random.default_rng(1))).resize((width, height)))
    reasons = told(good, pixels, "size")
    assert len(reasons) == (words is not None)
    assert all(words in reason for reason in reasons)


def test_a_folder_of_long_images_is_not_extreme(tmp_path):
    rng = np.random.default_rng(2)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(12):
            image = Image.fromarray(drawing(rng)).resize((200, 30))
            image.save(tmp_path / name / f"{number}.png")
    assert check(tmp_path, False, jobs=1).of("size") == ()


def test_an_image_inverted_among_dark_ones_is_told_too(tmp_path):
    write_good(tmp_path, {None: 12})
    for file in tmp_path.rglob("*.png"):
        if file.name != "7.png" or file.parent.name != "bee":
            Image.fromarray(255 - np.asarray(Image.open(file))).save(file)
    (finding,) = check(tmp_path, False, jobs=1).of("empty")
    assert finding.files == ("bee/7.png",)
    assert "its ground is light (255) where the others' is dark" in finding.reason


def test_where_both_grounds_are_common_none_is_inverted(tmp_path):
    write_good(tmp_path, {None: 12})
    for number, file in enumerate(sorted(tmp_path.rglob("*.png"))):
        if number % 4 == 0:
            Image.fromarray(255 - np.asarray(Image.open(file))).save(file)
    assert check(tmp_path, False, jobs=1).of("empty") == ()
