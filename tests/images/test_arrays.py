"""What a training sees: statistics and digests against float64 numpy, sizes and channels found, mistakes refused."""
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from fastlab.errors import FolderError, ImageError, OptionError
from fastlab.images.arrays import Arrays, natural_channels, natural_size
from fastlab.images.batches import folder_dataloaders


def made(count=12, channels=1, seed=0, **changed):
    rng = np.random.default_rng(seed)
    told = {"images": rng.integers(0, 256, (count, 5, 5, channels), dtype=np.uint8), "labels": np.arange(count) % 2,
            "splits": {"train": np.arange(6), "develop": np.arange(6, 9), "test": np.arange(9, 12)},
            "classes": ("a", "b"), "names": ("A", "B")}
    return Arrays(**(told | changed))


@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_are_those_of_the_train_split_in_float64(channels):
    arrays = made(channels=channels)
    pixels = arrays.images[:6].astype(np.float64).reshape(-1, channels) / 255
    mean, deviation = arrays.statistics
    assert mean == pytest.approx(pixels.mean(0), rel=1e-12)
    assert deviation == pytest.approx(pixels.std(0), rel=1e-12)


def test_a_blank_split_has_deviation_one_so_that_nothing_is_divided_by_nought():
    assert made(images=np.full((12, 5, 5, 1), 255, np.uint8)).statistics == ((1.0,), (1.0,))


def test_the_digest_changes_with_any_pixel_label_split_or_class():
    arrays = made()
    other = arrays.images.copy()
    other[11, 4, 4, 0] ^= 1
    labels = arrays.labels.copy()
    labels[0] = 1
    changed = [made(images=other), made(labels=labels), made(classes=("a", "c")),
               arrays.with_splits(test=np.array([9, 10])), arrays.with_splits(train=np.arange(6)[::-1])]
    assert len({arrays.digest, *[each.digest for each in changed]}) == 6
    assert made().digest == arrays.digest


def test_the_digest_does_not_change_with_the_place(split_shapes, tmp_path):
    moved = shutil.copytree(split_shapes, tmp_path / "moved")
    assert Arrays.from_folder(moved).digest == Arrays.from_folder(split_shapes).digest


def test_a_folder_becomes_pixels_labels_names_and_relative_files(shape_arrays, split_shapes):
    assert shape_arrays.names == ("disc", "ring", "cross", "bars")
    for row in (0, 71, 119):
        file = split_shapes / shape_arrays.files[row]
        assert np.array_equal(shape_arrays.images[row, :, :, 0], np.asarray(Image.open(file)))
        assert file.parent.name == shape_arrays.classes[shape_arrays.labels[row]]
        assert shape_arrays.row_of[file] == row


def test_relative_folders_give_the_same_names(split_shapes, monkeypatch):
    monkeypatch.chdir(split_shapes)
    assert Arrays.from_folder(".").files[0] == "train/1/1.png"


@pytest.mark.parametrize(("sizes", "want"), [([(28, 28)] * 3, 28), ([(64, 64)] * 3, 64), ([(65, 65)] * 3, 64),
                                             ([(28, 30)] * 3, 64), ([(28, 28), (28, 28), (32, 32)], 64)])
def test_small_equal_squares_keep_their_size_and_all_else_becomes_64(tmp_path, sizes, want):
    files = [tmp_path / f"{number}.png" for number in range(len(sizes))]
    for file, size in zip(files, sizes):
        Image.new("L", size).save(file)
    assert natural_size(files) == want


def test_a_folder_without_a_readable_image_has_a_size_all_the_same(tmp_path):
    (tmp_path / "a.png").touch()
    assert natural_size([tmp_path / "a.png"]) == 64


def test_channels_are_3_where_there_is_colour_and_1_where_grey_is_stored_as_rgb(tmp_path, colour_shapes):
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)).convert("RGB")
    grey.save(tmp_path / "a.jpg")
    assert natural_channels([tmp_path / "a.jpg"]) == 1
    assert Arrays.from_folder(colour_shapes).channels == 3
    assert Arrays.from_folder(colour_shapes, channels=1).channels == 1


def test_unreadable_images_are_all_named_or_left_out_and_counted(split_shapes, tmp_path):
    data = shutil.copytree(split_shapes, tmp_path / "data")
    bad = {"train/1/1.png", "test/10/6.png"}
    for name in bad:
        (data / name).write_bytes(b"")
    with pytest.raises(ImageError) as caught:
        Arrays.from_folder(data)
    assert set(caught.value.reasons) == {str(data / name) for name in bad}
    arrays = Arrays.from_folder(data, skip_unreadable=True)
    assert {arrays.files[row] for rows in arrays.splits.values() for row in rows} == set(arrays.files) - bad
    assert "2 unreadable images left out." in arrays.notes


def test_a_class_without_a_readable_image_in_a_split_is_an_error(new_data):
    for file in (new_data / "3").iterdir():
        file.write_bytes(b"")
    with pytest.raises(FolderError, match="class '3' is empty in the split"):
        Arrays.from_folder(new_data, skip_unreadable=True)


@pytest.mark.parametrize(("changed", "told"), [
    ({"images": np.zeros((12, 5, 5, 2), np.uint8)}, "images"), ({"images": np.zeros((12, 5, 5, 1))}, "images"),
    ({"labels": np.zeros(11, int)}, "11 labels for 12 images"), ({"labels": np.full(12, 2)}, "labels"),
    ({"labels": np.full(12, -1)}, "labels"), ({"splits": {"train": [12]}}, "'train'"),
    ({"splits": {"test": [-1]}}, "'test'")])
def test_arrays_that_do_not_fit_together_are_refused(changed, told):
    with pytest.raises(OptionError, match=told):
        made(**changed)


@pytest.mark.parametrize("options", [{"channels": 2}, {"channels": 0}, {"size": 0}, {"size": -3}])
def test_options_that_no_image_can_have_are_refused(split_shapes, options):
    with pytest.raises(OptionError, match=next(iter(options))):
        Arrays.from_folder(split_shapes, **options)


def test_a_tensor_shares_the_arrays_memory_also_after_a_change_of_splits():
    arrays = made()
    tensor = arrays.on("cpu")
    assert tensor.data_ptr() == arrays.images.ctypes.data
    assert arrays.with_splits(train=[0]).on("cpu") is tensor
    assert torch.equal(tensor, torch.from_numpy(arrays.images))


def test_saved_and_loaded_arrays_are_equal_and_carry_no_tensor():
    arrays = made()
    arrays.on("cpu")
    again = pickle.loads(pickle.dumps(arrays))
    assert again.digest == arrays.digest
    assert "_on" not in again.__dict__


SCALED = "Images have {} pixels: the short side is scaled to 64 and the middle square taken; another size: --size N."


@pytest.mark.parametrize(("sizes", "size", "said"), [
    ([(20, 20), (20, 20)], None, ()),
    ([(20, 30), (90, 80)], None, (SCALED.format("20×30 to 90×80"),)),
    ([(200, 100), (200, 100)], None, (SCALED.format("200×100"),)),
    ([(20, 30), (90, 80)], 16, ())])
def test_scaling_that_nobody_asked_for_is_said(tmp_path, sizes, size, said):
    for split in ("train", "develop", "test"):
        for name in "ab":
            for number, (width, height) in enumerate(sizes):
                path = tmp_path / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (width, height), 90 + number).save(path)
    assert Arrays.from_folder(tmp_path, size=size, cache=tmp_path / "cache").notes == said


def test_statistics_are_counted_in_small_parts(shape_arrays, monkeypatch):
    monkeypatch.setattr("fastlab.images.arrays.COUNTED_AT_ONCE", 28 * 28 * 7 + 5)
    taken, real = [], np.bincount

    def count(values, **options):
        taken.append(len(values))
        return real(values, **options)
    monkeypatch.setattr(np, "bincount", count)
    mean, deviation = replace(shape_arrays).statistics
    values = shape_arrays.images[shape_arrays.splits["train"]].astype(np.float64) / 255
    assert mean == pytest.approx((values.mean(),))
    assert deviation == pytest.approx((values.std(),))
    assert max(taken) == 28 * 28 * 7


def test_an_unreadable_image_is_an_error_wherever_fastai_is_asked_for_it(write_shapes, tmp_path):
    root = write_shapes(tmp_path / "data", 10)
    bad = root / "3" / "4.png"
    bad.write_bytes(b"no image")
    dls = folder_dataloaders(root, 8, skip_unreadable=True)
    for items in ([bad], [root / "3" / "3.png", bad]):
        with pytest.raises(ImageError, match=r"4\.png"):
            dls.test_dl(items).one_batch()
    assert dls.test_dl([root / "3" / "3.png"]).one_batch()[0].shape == (1, 1, 28, 28)


def test_no_table_of_paths_is_made_for_the_splits_themselves(split_shapes):
    dls = folder_dataloaders(split_shapes, 8)
    for loader, split in ((dls.train, "train"), (dls.valid, "develop")):
        rows = dls.arrays.splits[split]
        assert torch.equal(loader._stored().rows, torch.from_numpy(rows))
    assert "row_of" not in dls.arrays.__dict__


def test_pixels_lie_once_on_a_device_however_it_is_named(shape_arrays):
    arrays = replace(shape_arrays)
    assert arrays.on("cpu") is arrays.on(torch.device("cpu"))
    assert len(arrays._on) == 1
