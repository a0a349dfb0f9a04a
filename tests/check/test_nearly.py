"""Copies that were shifted, scaled, recompressed or resized are found, and nothing else: planted in drawn strokes and
in pictures with the spectrum of photographs, with pictures and seeds on which nothing was ever tuned."""
import io
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw
from planted import CLASSES, drawing, encoded, photograph, write_good

from fastlab.check import nearly
from fastlab.check.doubles import _greatest
from fastlab.check.folder import check
from fastlab.check.nearly import Pairs, joined, near_pairs
from fastlab.strokes.dataset import draw_arrays

COPIES = 36             # planted of each kind


def ground_of(image):
    "The colour on which a drawing stands: its corner's."
    return image.getpixel((0, 0))


def shifted(image, rng, plain):
    "Moved by up to 2 pixels each way, at least 1; a drawing's ground goes on, of a photograph the edge does."
    right, down = 0, 0
    while not (right or down):
        right, down = rng.integers(-2, 3, 2)
    pixels = np.asarray(image)
    mode = {"constant_values": ground_of(image)} if plain else {"mode": "edge"}
    padded = np.pad(pixels, ((2, 2), (2, 2), *((0, 0),) * (pixels.ndim - 2)), **mode)
    return Image.fromarray(padded[2 - down:2 - down + image.height, 2 - right:2 - right + image.width])


def scaled(image, rng, plain):
    "Larger or smaller by up to a tenth, about the centre."
    factor = 1 + rng.choice([-1, 1]) * rng.uniform(0.04, 0.1)
    size = max(1, round(image.width * factor))
    inner = image.resize((size, size), Image.Resampling.BICUBIC)
    if size >= image.width or not plain:
        left = (size - image.width) // 2
        if size < image.width:          # a photograph is scaled down by showing more: its edge goes on
            pad = image.width - size
            around = ((pad // 2, pad - pad // 2),) * 2 + ((0, 0),) * (np.asarray(image).ndim - 2)
            return Image.fromarray(np.pad(np.asarray(inner), around, mode="edge"))
        return inner.crop((left, left, left + image.width, left + image.height))
    paper = Image.new(image.mode, image.size, ground_of(image))
    paper.paste(inner, ((image.width - size) // 2,) * 2)
    return paper


def recompressed(image, rng, plain):
    return Image.open(io.BytesIO(encoded(image, "JPEG", quality=30)))


def resized(image, rng, plain):
    "The same picture with other numbers of pixels."
    side = round(image.width * rng.choice([1.5, 2, 3]))
    return image.resize((side, side), Image.Resampling.BILINEAR)


def plant(root, images, change, rng, plain):
    "Writes the images as class folders, and changed copies of some; returns the planted pairs of files."
    for name in CLASSES:
        (root / name).mkdir(parents=True)
    files = [f"{CLASSES[number % 3]}/{number}.png" for number in range(len(images))]
    for file, image in zip(files, images):
        image.save(root / file)
    pairs = set()
    for number in rng.choice(len(images), COPIES, replace=False):
        copy = f"{CLASSES[rng.integers(3)]}/copy of {number}.{'jpg' if change is recompressed else 'png'}"
        changed = change(images[number], rng, plain)
        changed.save(root / copy, **({"quality": 90} if change is recompressed else {}))
        pairs.add(frozenset((files[number], copy)))
    return pairs


def found_pairs(root):
    findings = check(root, False, jobs=1).of("near-identical", "identical")
    return {frozenset((one, other)) for finding in findings for one in finding.files for other in finding.files
            if one != other}


@pytest.fixture(scope="module")
def strokes():
    "Drawn characters with 3 pixels of margin, so that no shift cuts anything off."
    images = draw_arrays(size=26, train=30, develop=1, test=1, seed=77)[0][:360, ..., 0]
    return [Image.fromarray(np.pad(image, 3, constant_values=255)) for image in images]


@pytest.fixture(scope="module")
def photographs():
    rng = np.random.default_rng(78)
    return [Image.fromarray(photograph(rng, 72)) for _ in range(300)]


@pytest.mark.parametrize("change", [shifted, scaled, recompressed, resized])
@pytest.mark.parametrize("kind", ["strokes", "photographs"])
def test_planted_copies_are_found_and_nothing_else(tmp_path, request, kind, change):
    images, rng = request.getfixturevalue(kind), np.random.default_rng(sum(change.__name__.encode()))
    planted = plant(tmp_path, images, change, rng, kind == "strokes")
    found = found_pairs(tmp_path)
    assert found - planted == set()
    assert len(found & planted) >= 0.95 * len(planted)


def one_of_an_even_hand(rng, size=28):
    "An upright stroke, never quite straight: a sum of ten small waves."
    image = Image.new("L", (8 * size, 8 * size), 255)
    down = np.linspace(-1, 1, 33)
    across = sum(rng.normal(0, 0.3) * np.cos(np.pi * wave * (down + 1) / 2) / wave**0.5 for wave in range(1, 11))
    ImageDraw.Draw(image).line([(4 * size + 8 * x, 4 * size + 72 * y) for x, y in zip(across, down)], 0,
                               int(8 * rng.uniform(2, 3)), joint="curve")
    return np.asarray(image.resize((size, size), Image.Resampling.BOX))


def test_strokes_of_an_even_hand_are_no_copies_of_one_another(monkeypatch):
    "By the difference alone hundreds of pairs would be: it is held against what a picture's ordinary neighbours leave."
    rng = np.random.default_rng(1)
    ones = np.stack([one_of_an_even_hand(rng) for _ in range(150)])
    pictures = np.concatenate([ones, np.roll(ones[:20], (1, 2), (1, 2))])

    def found():
        pairs = near_pairs(len(pictures), lambda rows: pictures[rows])
        return set(zip(pairs.first.tolist(), pairs.second.tolist()))
    copies = {(row, 150 + row) for row in range(20)}
    told = found()
    assert copies <= told
    assert len(told - copies) <= 2      # of 14,365 pairs
    monkeypatch.setattr(nearly, "SHARE", np.inf)
    assert len(found() - copies) > 100


def test_a_group_with_copies_is_told_across_splits_and_classes(good):
    image = Image.open(good / "train/ant/1.png")
    shutil.copy(good / "train/ant/1.png", good / "train/ant/same.png")
    image.save(good / "test/ant/worse.jpg", quality=30)
    shifted(image, np.random.default_rng(1), True).save(good / "test/bee/moved.png")
    (finding,) = check(good, False, jobs=1).of("near-identical")
    assert set(finding.files) == {"train/ant/1.png", "train/ant/same.png", "test/ant/worse.jpg", "test/bee/moved.png"}
    assert "4 files" in finding.reason
    assert "across the splits 'train' and 'test' and the classes 'ant' and 'bee'" in finding.reason
    assert 0 <= finding.details["difference"] < 0.015


def test_pairs_are_joined_into_groups():
    def pairs(*both):
        first, second = (np.array(part, dtype=np.int64) for part in zip(*both))
        return Pairs(first, second, np.zeros(len(first)), np.zeros(len(first)))
    assert [group.tolist() for group in joined(pairs((0, 4), (4, 7), (2, 3)), 9)] == [[0, 4, 7], [2, 3]]
    assert joined(near_pairs(1, None), 1) == []


def test_a_folder_of_one_or_two_images_can_be_compared(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    rng = np.random.default_rng(0)
    Image.fromarray(drawing(rng)).save(tmp_path / "a/1.png")
    assert check(tmp_path, False, jobs=1).of("near-identical") == ()
    Image.fromarray(drawing(rng)).save(tmp_path / "b/1.png")
    assert check(tmp_path, False, jobs=1).of("near-identical") == ()


def test_an_image_and_its_turned_or_mirrored_self_are_two_pictures(tmp_path):
    write_good(tmp_path, {None: 30})
    for number, turn in enumerate((Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90,
                                   Image.Transpose.ROTATE_180)):
        Image.open(tmp_path / f"ant/{number + 1}.png").transpose(turn).save(tmp_path / f"bee/turned{number}.png")
    assert check(tmp_path, False, jobs=1).of("near-identical") == ()


def test_the_greatest_difference_of_every_group_is_what_looking_at_each_pair_finds():
    rng = np.random.default_rng(3)
    first, second = np.sort(rng.integers(0, 900, (700, 2)).astype(np.int64), axis=1).T
    first, second = first[first < second], second[first < second]
    pairs = Pairs(first, second, rng.random(len(first)).astype(np.float32), np.ones(len(first), np.float32))
    groups = joined(pairs, 900)
    assert len(groups) > 30
    assert max(map(len, groups)) > 5
    expected = [max(pairs.difference[at] for at in range(len(first)) if first[at] in group) for group in groups]
    assert _greatest(pairs, groups, 900).tolist() == expected
    assert len(_greatest(Pairs(*np.zeros((4, 0), np.int64)), [], 900)) == 0
