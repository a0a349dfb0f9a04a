"""The drawn data set: the same bytes from the same seed, hands of their own in every split, nothing overwritten."""
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from fastlab.errors import OptionError, StorageError
from fastlab.files import fcntl
from fastlab.images.folder import read_folder
from fastlab.strokes import dataset
from fastlab.strokes.dataset import NOTE, draw_arrays, draw_folder, draw_split, pen_paths
from fastlab.strokes.pen import write
from fastlab.strokes.table import CHARACTERS, COUNTS, NAMES

SMALL = {"train": 3, "develop": 2, "test": 2}
FREE = ("slant", "turn", "round", "loose", "bow", "wobble", "run", "squeeze")   # of a hand: no two draws are alike


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def test_twelve_characters_have_82_strokes_within_the_square():
    assert "".join(NAMES) == "博学笃志切问近思自由无用"
    assert tuple(len(strokes) for _, strokes in CHARACTERS) == COUNTS
    assert sum(COUNTS) == 82
    for _, strokes in CHARACTERS:
        for stroke in strokes:
            for points in (stroke.points, *(form for _, form in stroke.forms)):
                assert len(points) >= 2
                assert all(0 <= value <= 100 for point in points for value in point)
            assert sum(share for share, _ in stroke.forms) < 1


def test_same_seed_same_bytes_and_another_seed_others(tmp_path):
    first, second = (draw_folder(tmp_path / name, **SMALL, seed=3) for name in ("a", "b"))
    other = draw_folder(tmp_path / "c", **SMALL, seed=4)
    assert contents(first) == contents(second)
    assert contents(first) != contents(other)


def test_the_folder_reads_as_a_data_set_in_natural_order_with_names(tmp_path):
    folder = read_folder(draw_folder(tmp_path / "a", **SMALL))
    assert folder.classes == tuple(str(number) for number in range(1, 13))
    assert [folder.names[name] for name in folder.classes] == list(NAMES)
    assert {split: len(rows) for split, rows in folder.splits.items()} == {"train": 36, "develop": 24, "test": 24}


def test_arrays_hold_the_same_pixels_as_the_folder(tmp_path):
    folder = read_folder(draw_folder(tmp_path / "a", **SMALL, seed=1))
    images, labels, splits, names = draw_arrays(**SMALL, seed=1)
    assert np.array_equal(labels, folder.labels)
    assert all(np.array_equal(splits[split], folder.splits[split]) for split in splits)
    assert names == NAMES
    for file, pixels in zip(folder.files, images):
        assert np.array_equal(np.asarray(Image.open(file)), pixels[:, :, 0])


def test_a_writer_writes_all_characters_of_one_split_and_is_in_no_other(monkeypatch):
    given = []

    def writing(character, writers, rng):
        given.append(np.stack([getattr(writers, name) for name in FREE], 1))
        return write(character, writers, rng)

    monkeypatch.setattr(dataset, "write", writing)
    for split in ("train", "develop", "test"):
        draw_split(split, 20)
    for name in NAMES:
        pen_paths(name, writer=19)
    manners = np.stack(given).reshape(4, 12, 20, len(FREE))
    assert (manners == manners[:, :1]).all()
    assert len(np.unique(manners[:, 0])) == manners[:, 0].size


@pytest.mark.parametrize("size", [16, 28, 56])
def test_ink_is_black_on_white_within_the_frame_at_any_size(size):
    drawn = draw_split("train", 10, size)
    assert drawn.shape == (12, 10, size, size)
    share = (drawn < 128).mean((2, 3))
    assert share.min() > 0.01
    assert share.max() < 0.45
    assert np.median(drawn) == 255


def test_classes_are_told_apart_by_their_mean_images():
    train = draw_split("train", 120).reshape(12, 120, -1).astype(float)
    test = draw_split("test", 30).reshape(360, -1).astype(float)
    means = train.mean(1)
    nearest = ((test[:, None] - means) ** 2).sum(2).argmin(1)
    assert (nearest == np.repeat(np.arange(12), 30)).mean() > 4 / 12     # chance is 1/12; position alone blurs means


def test_drawing_again_does_nothing_and_a_cut_drawing_is_completed(tmp_path):
    place = draw_folder(tmp_path / "a", **SMALL)
    whole = contents(place)
    stamp = (place / "train" / "1" / "1.png").stat().st_mtime_ns
    draw_folder(place, **SMALL)
    assert (place / "train" / "1" / "1.png").stat().st_mtime_ns == stamp
    (place / "test" / "12" / "2.png").unlink()
    (place / NOTE).write_text(json.dumps({**json.loads((place / NOTE).read_text()), "complete": False}))
    draw_folder(place, **SMALL)
    assert contents(place) == whole


@pytest.mark.skipif(fcntl is None, reason="no locks here: both draw the same bytes")
def test_of_two_who_draw_at_once_one_waits_and_takes_what_the_other_drew(tmp_path, monkeypatch):
    drawn, begun = [], threading.Barrier(2)

    def drawing(split, *options, **more):
        drawn.append(split)
        time.sleep(0.1)         # time for the other to come in between
        return draw_split(split, *options, **more)

    def draw(_):
        begun.wait()
        return contents(draw_folder(tmp_path / "a", **SMALL))

    monkeypatch.setattr(dataset, "draw_split", drawing)
    with ThreadPoolExecutor(2) as both:
        one, other = both.map(draw, range(2))
    assert drawn == ["train", "develop", "test"]
    assert one == other == contents(draw_folder(tmp_path / "alone", **SMALL))


def test_a_folder_with_anything_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StorageError, match="not empty"):
        draw_folder(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    place = draw_folder(tmp_path / "a", **SMALL)
    with pytest.raises(StorageError, match="not empty"):
        draw_folder(place, **SMALL, seed=9)


@pytest.mark.parametrize(("option", "value"), [("train", 0), ("size", 4), ("test", 1.5), ("develop", True)])
def test_options_out_of_bounds_are_named(tmp_path, option, value):
    with pytest.raises(OptionError, match=option):
        draw_folder(tmp_path / "a", **{**SMALL, option: value})


def test_pen_paths_stay_in_the_frame_in_writing_order():
    for name, strokes in CHARACTERS:
        paths = pen_paths(name, seed=2)
        assert 1 <= len(paths) <= len(strokes)
        points = np.concatenate(paths)
        assert points.min() >= 0
        assert points.max() <= 1
