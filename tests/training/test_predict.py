"""Predictions: whatever an image comes as, the same answer; ensembles are means; all unreadable images are named."""
import numpy as np
import pytest
import torch
from PIL import Image
from trainings import QUICK, fitted

from fastlab import Recipe
from fastlab.errors import FolderError, ImageError, ModelFileError, OptionError
from fastlab.images.arrays import Arrays
from fastlab.training import predict as room
from fastlab.training.modelfile import Model, save_model
from fastlab.training.predict import images_below, predict
from fastlab.training.train import model_of


@pytest.fixture(scope="module")
def model(shape_arrays):
    return model_of(fitted(shape_arrays, QUICK.changed(precision="fp32")))


@pytest.fixture(scope="module")
def other(shape_arrays):
    return model_of(fitted(shape_arrays, QUICK.changed(precision="fp32"), seed=1))


@torch.no_grad()
def by_hand(model, pixels):
    "Probabilities of one uint8 image (H, W) by torch alone."
    mean, deviation = model.input["mean"][0], model.input["deviation"][0]
    return model.net(torch.from_numpy((pixels / 255 - mean) / deviation)[None, None].float()).softmax(1)[0].numpy()


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "pil", "array", "colour", "see-through", "16 bit"])
def test_whatever_an_image_comes_as_gives_the_answer_of_its_pixels(model, shape_arrays, kind):
    path = shape_arrays.paths[100]
    pixels = np.array(Image.open(path))
    alpha = np.dstack([np.zeros((28, 28, 3), np.uint8), 255 - pixels])      # black ink on nothing
    source = {"path": path, "text": str(path), "bytes": path.read_bytes(), "pil": Image.open(path), "array": pixels,
              "colour": np.dstack([pixels] * 3), "see-through": alpha, "16 bit": pixels.astype(np.uint16) * 257}[kind]
    found = predict(model, source)
    np.testing.assert_allclose(found.probabilities[0], by_hand(model, pixels), atol=1e-5)
    assert found.predicted.tolist() == [by_hand(model, pixels).argmax()]
    assert found.files == ((str(path),) if kind in ("path", "text") else ("image 1",))


def test_a_folder_is_searched_through_in_natural_order(model, split_shapes):
    found = predict(model, split_shapes / "test")
    names = [file.removeprefix(f"{split_shapes}/test/") for file in found.files]
    assert names == [f"{name}/{number}.png" for name in ("1", "2", "3", "10") for number in range(1, 7)]
    assert found.probabilities.shape == (24, 4)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-5)


def test_paths_folders_and_pixels_can_be_mixed(model, split_shapes, shape_arrays):
    pixels = shape_arrays.images[0, :, :, 0]
    found = predict(model, [pixels, split_shapes / "test" / "2", str(shape_arrays.paths[0])])
    assert found.files[0] == "image 1"
    assert len(found.files) == 8
    assert np.array_equal(found.probabilities[0], found.probabilities[7])


def test_the_rows_say_the_class_its_name_and_every_probability(model, shape_arrays):
    named = Model(model.net, model.recipe, model.classes, ("disc", "ring", "cross", "bars"), model.input)
    found = predict(named, list(shape_arrays.paths[:5]))
    for row, shares, path in zip(found.rows(), found.probabilities, shape_arrays.paths):
        best = int(np.argmax(shares))
        assert row["file"] == str(path)
        assert row["class"] == ("1", "2", "3", "10")[best]
        assert row["name"] == named.names[best]
        assert row["probability"] == pytest.approx(float(shares.max()))
        assert list(row["probabilities"].items()) == [(name, pytest.approx(float(share))) for name, share
                                                      in zip(("1", "2", "3", "10"), shares)]


def test_many_files_go_through_the_cache_and_answer_alike(model, split_shapes, tmp_path, monkeypatch):
    one_by_one = predict(model, split_shapes / "train")
    monkeypatch.setattr(room, "IN_ONE_GO", 3)
    cached = predict(model, split_shapes / "train", cache=tmp_path)
    assert np.array_equal(one_by_one.probabilities, cached.probabilities)
    assert list((tmp_path / "decoded").glob("*.u8"))


# -- ensembles ---------------------------------------------------------------------------------------------------------
def test_an_ensemble_says_the_mean_of_its_members(model, other, split_shapes, tmp_path):
    save_model(tmp_path / "other.safetensors", other)
    single = [predict(each, split_shapes / "test").probabilities.astype(np.float64) for each in (model, other)]
    both = predict([model, tmp_path / "other.safetensors"], split_shapes / "test")
    assert not np.array_equal(*single)
    np.testing.assert_allclose(both.probabilities, np.mean(single, axis=0), atol=1e-6)
    assert both.probabilities.dtype == np.float32


@pytest.mark.parametrize(("what", "words"), [({"classes": ("1", "2", "3", "4")}, "classes"),
                                             ({"classes": ("1", "2", "10", "3")}, "classes"),
                                             ({"size": 32}, "size 32"), ({"channels": 3}, "channels 3")])
def test_an_ensemble_of_networks_for_other_images_or_classes_is_an_error(model, other, what, words):
    odd = Model(other.net, other.recipe, what.get("classes", other.classes), other.names, {**other.input, **{
        name: value for name, value in what.items() if name != "classes"}}, path="odd.safetensors")
    with pytest.raises(ModelFileError, match=rf"odd\.safetensors.*{words}.*An ensemble needs the same"):
        predict([model, odd], np.zeros((28, 28), np.uint8))


def test_no_network_and_no_image_are_errors(model, tmp_path):
    with pytest.raises(OptionError, match="model: none was given"):
        predict([], np.zeros((28, 28), np.uint8))
    with pytest.raises(OptionError, match="images: none was given"):
        predict(model, [])
    with pytest.raises(FolderError, match="no image lies in it"):
        predict(model, tmp_path)
    (tmp_path / "deep" / ".hidden").mkdir(parents=True)
    for name in ("deep/notes.txt", "deep/.hidden/1.png", "deep/.2.png"):
        (tmp_path / name).touch()
    with pytest.raises(FolderError, match="no image lies in it"):
        images_below(tmp_path)


# -- ten crops ---------------------------------------------------------------------------------------------------------
def test_ten_crop_takes_mirrors_only_where_the_recipe_mirrors(shape_arrays):
    arrays = Arrays(np.pad(np.array(shape_arrays.images), ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=255),
                    shape_arrays.labels, shape_arrays.splits, shape_arrays.classes, shape_arrays.names)
    found = {}
    for augment in ("crop", "crop+mirror"):
        model = model_of(fitted(arrays, QUICK.changed(augment=augment, crop=28, precision="fp32", epochs=1)))
        assert model.crops == {"crop": 5, "crop+mirror": 10}[augment]
        image = arrays.images[50]
        views = [image[top:top + 28, left:left + 28, 0] for top, left in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))]
        views += [view[:, ::-1].copy() for view in views] if augment == "crop+mirror" else []
        found[augment] = predict(model, image, ten_crop=True).probabilities[0]
        np.testing.assert_allclose(found[augment], np.mean([by_hand(model, view) for view in views], axis=0), atol=1e-5)


def test_ten_crop_needs_a_recipe_with_crops(model):
    with pytest.raises(OptionError, match="ten-crop"):
        predict(model, np.zeros((28, 28), np.uint8), ten_crop=True)
    whole = Model(model.net, Recipe(augment="crop+mirror"), model.classes, model.names, model.input)
    assert whole.crops == 1     # its crop is the whole image


# -- what cannot be read -----------------------------------------------------------------------------------------------
@pytest.fixture
def broken(new_data):
    "A folder in which three of 24 images cannot be read: empty, cut, not an image."
    cut = (new_data / "2" / "3.png").read_bytes()
    for name, content in (("1/2.png", b""), ("2/3.png", cut[:len(cut) // 2]), ("10/6.png", b"<html></html>")):
        (new_data / name).write_bytes(content)
    return new_data


@pytest.mark.parametrize("in_one_go", [3, 256])
def test_all_unreadable_images_are_named_at_once_or_left_out(model, broken, tmp_path, monkeypatch, in_one_go):
    monkeypatch.setattr(room, "IN_ONE_GO", in_one_go)
    names = {str(broken / name) for name in ("1/2.png", "2/3.png", "10/6.png")}
    with pytest.raises(ImageError, match="3 images cannot be read") as caught:
        predict(model, broken, cache=tmp_path)
    assert {str(name) for name in caught.value.reasons} == names
    assert all(name in str(caught.value) for name in names)
    found = predict(model, broken, skip_unreadable=True, cache=tmp_path)
    assert {str(name) for name in found.unreadable} == names
    assert len(found.files) == len(found.probabilities) == 21
    assert not names & set(found.files)
    for file, shares in zip(found.files, found.probabilities):
        np.testing.assert_allclose(shares, by_hand(model, np.array(Image.open(file))), atol=1e-5)


def test_images_without_a_name_are_counted(model):
    with pytest.raises(ImageError, match="image 2"):
        predict(model, [np.zeros((28, 28), np.uint8), b"nothing", np.full((28, 28), np.nan)])
    found = predict(model, [b"nothing"], skip_unreadable=True)
    assert found.rows() == []
    assert found.probabilities.shape == (0, 4)
    assert list(found.unreadable) == ["image 1"]


def test_pixels_of_another_shape_or_kind_than_the_networks_are_an_error(model):
    for images in (np.zeros((1, 28, 28, 3), np.uint8), np.zeros((1, 27, 28, 1), np.uint8),
                   np.zeros((1, 28, 28, 1), np.float32)):
        with pytest.raises(OptionError, match="images: "):
            model.probabilities(images)
    assert model.probabilities(np.zeros((0, 28, 28, 1), np.uint8)).shape == (0, 4)
