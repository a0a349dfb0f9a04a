"""The same pixels in several files, held against brute force over all pairs of decoded images."""
import itertools
import shutil

import numpy as np
import pytest
from PIL import Image
from planted import drawing, encoded, photograph, write_good

from fastlab.check.folder import check
from fastlab.check.listing import list_folder
from fastlab.images.decode import open_image
from fastlab.images.folder import SPLITS


def brute_force(root):
    "{frozenset of files}: groups whose decoded pixels, brought to RGB, are equal, found by laying each over each."
    files = list_folder(root).files
    pixels = {file: open_image(root / file, 3) for file in files}
    leader = {file: file for file in files}
    for one, other in itertools.combinations(files, 2):
        if leader[other] == other and np.array_equal(pixels[one], pixels[other]):
            leader[other] = leader[one]
    groups = {}
    for file in files:
        groups.setdefault(leader[file], []).append(file)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def groups(findings, kind):
    return {frozenset(finding.files) for finding in findings.of(kind)}


@pytest.fixture
def doubled(tmp_path):
    "Drawings and photographs with doubles in other formats, modes, splits and classes."
    root, rng = write_good(tmp_path / "doubled", {"train": 6, "develop": 3, "test": 4}), np.random.default_rng(8)
    grey = Image.open(root / "train/ant/1.png")
    grey.save(root / "train/ant/grey.bmp")
    grey.convert("RGB").save(root / "test/ant/rgb.tif")
    grey.convert("RGBA").save(root / "develop/ant/rgba.png")
    grey.save(root / "train/bee/lossless.webp", lossless=True)
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(root / "test/cat/deep.png")
    colours = Image.fromarray(photograph(rng))
    for place in ("train/cat/photo.png", "train/cat/photo.ppm", "test/cat/photo.bmp"):
        colours.save(root / place)
    few = colours.quantize(16)
    few.save(root / "train/bee/few.gif")
    few.convert("RGB").save(root / "train/bee/few.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(drawing(rng))
    lying.save(root / "train/ant/lying.png", exif=exif)
    lying.transpose(Image.Transpose.ROTATE_270).save(root / "train/ant/upright.png")
    return root


def test_identical_is_exactly_what_brute_force_finds(doubled):
    expected, findings = brute_force(doubled), check(doubled, False, jobs=1)
    assert len(expected) == 4
    assert sorted(map(len, expected)) == [2, 2, 3, 6]
    assert groups(findings, "identical") == expected
    assert len(findings.of("identical")) == len(expected)


def test_leaks_are_the_groups_in_several_splits_and_conflicts_those_in_several_classes(doubled):
    expected, findings = brute_force(doubled), check(doubled, False, jobs=1)
    assert groups(findings, "leak") == {group for group in expected if len({file.split("/")[0] for file in group}) > 1}
    assert groups(findings, "conflict") == {group for group in expected
                                            if len({file.split("/")[1] for file in group}) > 1}
    assert len(findings.of("leak")) == 2
    assert len(findings.of("conflict")) == 1


def test_one_changed_pixel_is_no_double_and_one_other_shape_neither(good):
    pixels = drawing(np.random.default_rng(1)).copy()
    (good / "train/ant/a.png").write_bytes(encoded(pixels))
    pixels[5, 5] ^= 1
    (good / "train/ant/b.png").write_bytes(encoded(pixels))
    flat = np.arange(40 * 20, dtype=np.uint32).astype(np.uint8)
    (good / "train/ant/c.png").write_bytes(encoded(flat.reshape(20, 40)))
    (good / "train/ant/d.png").write_bytes(encoded(flat.reshape(40, 20)))
    assert check(good, False, jobs=1).of("identical") == ()


def test_the_majority_of_a_group_is_right_and_the_odd_one_the_suspect(good):
    for name in ("1 again", "1 once more"):
        shutil.copy(good / "train/ant/1.png", good / f"train/ant/{name}.png")
    shutil.copy(good / "train/ant/1.png", good / "test/bee/odd.png")
    (finding,) = check(good, False, jobs=1).of("conflict")
    assert finding.files[0] == "test/bee/odd.png"
    assert finding.details["suggested"] == "ant"
    assert "'ant' looks right" in finding.reason


def test_of_one_picture_in_two_classes_the_one_unlike_its_class_is_the_suspect(tmp_path, write_shapes):
    "Shapes look alike within a class: a disc among the crosses is the wrong one, in whatever order files come."
    root = write_shapes(tmp_path / "shapes", 24)
    planted = {("1", "3"), ("3", "1"), ("2", "10"), ("10", "2")}
    for right, wrong in planted:
        shutil.copy(root / right / "5.png", root / wrong / f"0 from {right}.png")
    findings = check(root, False, jobs=1).of("conflict")
    assert {(finding.details["suggested"], finding.files[0]) for finding in findings} == \
        {(right, f"{wrong}/0 from {right}.png") for right, wrong in planted}


def test_where_nothing_can_tell_no_class_is_suggested(tmp_path):
    pixels = drawing(np.random.default_rng(0))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(encoded(pixels))
    (finding,) = check(tmp_path, False, jobs=1).of("conflict")
    assert finding.details["suggested"] == ""
    assert "cannot be told" in finding.reason


def test_two_thousand_images_from_few_pictures_equal_brute_force(tmp_path):
    "Many groups of many sizes, over splits and classes, counted by the bytes of the pixels."
    rng = np.random.default_rng(12)
    pictures = [rng.integers(0, 256, (9, 9), dtype=np.uint8) for _ in range(700)]
    seen = {}
    for split, name in itertools.product(SPLITS, "abcd"):
        (tmp_path / split / name).mkdir(parents=True)
    for number in range(2000):
        picture, split, name = rng.integers(700), SPLITS[rng.integers(3)], "abcd"[rng.integers(4)]
        file = f"{split}/{name}/{number}.{('png', 'bmp')[number % 2]}"
        Image.fromarray(pictures[picture]).save(tmp_path / file)
        seen.setdefault(picture, set()).add(file)
    findings = check(tmp_path, False, jobs=1)
    several = [frozenset(files) for files in seen.values() if len(files) > 1]
    assert groups(findings, "identical") == set(several)
    assert groups(findings, "leak") == {group for group in several if len({file.split("/")[0] for file in group}) > 1}
    assert groups(findings, "conflict") == {group for group in several
                                            if len({file.split("/")[1] for file in group}) > 1}
