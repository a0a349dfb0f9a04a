"""The explanations of a network: all there, each with its picture, table and figures, and true."""
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes

import fastlab
from fastlab.errors import FolderError, ModelFileError, OptionError
from fastlab.images.arrays import Arrays
from fastlab.inside import twins
from fastlab.pictures.explain.explain import CONTRACT
from fastlab.pictures.explain.page import render
from fastlab.pictures.explain.sections import MAKERS
from fastlab.pictures.explain.subject import Subject, spread

ORDER = ["shapes", "fields", "prior", "shift", "changes", "cost", "kernels", "maps", "patches", "attention", "lrn",
         "batchnorm", "dropout", "learning"]


def test_every_explanation_of_the_report_has_sentences_with_n_a_picture_and_a_table(explained):
    found, _ = explained
    assert [section.key for section in found.sections] == ORDER
    for section in found.sections:
        assert not section.left_out
        assert section.says
        assert section.tables
        assert all(len(row) == len(table.head) for table in section.tables for row in table.rows)
        for picture in section.pictures:
            axes = np.ravel(picture.draw())
            assert all(isinstance(ax, Axes) for ax in axes)
    measured = ("fields", "shift", "changes", "cost", "maps", "patches", "attention", "lrn", "batchnorm", "dropout",
                "learning")
    for section in found.sections:
        if section.key in measured:
            assert any("n = " in sentence for sentence in section.says), section.key


def test_figures_are_plain_and_layers_keep_the_contract(explained):
    found, model = explained
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [row["name"] for row in told["layers"]] == [name for name, _ in model.net.named_children()]
    assert all(tuple(row) == CONTRACT for row in told["layers"])
    assert {row["name"]: row["receptive_field"] for row in told["layers"]}["pool2"] == 16
    assert sum(row["parameters"] for row in told["layers"]) == sum(p.numel() for p in model.net.parameters())
    assert told["page"] is None
    assert told["n"] == 24
    assert told["accuracy"] * 24 == pytest.approx(round(told["accuracy"] * 24))
    assert told["prior"]["fully_connected"] == (784 * 12544 + 12544) + (3136 * 6272 + 6272) + (1568 * 4 + 4)


def test_it_finds_what_the_network_answers(explained, shape_arrays):
    found, model = explained
    rows = shape_arrays.splits["test"]
    said = model.probabilities(shape_arrays.images[rows]).argmax(1)
    assert found.figures["accuracy"] == pytest.approx((said == shape_arrays.labels[rows]).mean())
    still = [row for row in found.figures["shift"]["answers"]["this network"] if row["amount"] == 0]
    assert still[0]["unchanged"] == 1
    first = rows[spread(shape_arrays.labels[rows], still[0]["n"] // 2)]     # moved along both axes
    said = model.probabilities(shape_arrays.images[first]).argmax(1)
    assert still[0]["accuracy"] == pytest.approx((said == shape_arrays.labels[first]).mean())
    assert set(found.figures["shift"]["answers"]) == {"this network", "with pooling, twin", "without pooling, twin"}
    assert set(found.figures["batchnorm"]["networks"]) == {"this network", "with BatchNorm, twin", "without, twin"}


def test_layers_over_time_are_those_of_the_twin(explained, shape_arrays):
    found, model = explained
    told = found.figures["learning"]
    assert set(told["norms"]) == {"conv1", "conv2", "linear"}
    assert told["steps"] == list(range(told["steps"][-1] + 1))      # 144 images are seen, in few steps
    first = model.net.state_dict()      # untrained, from another draw, so of about the same size
    for name, norms in told["norms"].items():
        assert norms[0] == pytest.approx(float(first[f"{name}.weight"].norm()), rel=0.2)
        assert len(norms) == len(told["steps"])
    assert told["zeros"]["conv1"][-1] == 0
    section = found.sections[-1]
    assert "no weight is exactly 0 in the end" in section.says[0]
    assert not {"zeros"} & {picture.name for picture in section.pictures}       # a line at 0 is told in words
    assert {"weights", "activations-relu1", "activations-relu2"} <= {picture.name for picture in section.pictures}


@pytest.fixture(scope="module")
def html(explained):
    found, _ = explained
    return render(found.title, found.facts, found.sections)


def test_the_page_is_one_file_that_names_no_other_address(html, tags_of):
    found = tags_of(html)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"base64,[\w+/=]+", "", html))
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in found.tags}
    sources = [attributes["src"] for tag, attributes in found.tags if "src" in attributes]
    assert len(sources) >= 17
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert all(attributes["alt"] for tag, attributes in found.tags if tag == "img")
    assert all(attributes["href"].startswith("#") for tag, attributes in found.tags if tag == "a")
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    assert {attributes["href"][1:] for tag, attributes in found.tags if tag == "a"} <= ids


def test_the_same_figures_give_the_same_page(explained):
    found, _ = explained
    first = [section for section in found.sections if section.key in ("shapes", "kernels", "lrn")]
    texts = [render(found.title, found.facts, first) for _ in range(2)]
    assert texts[0] == texts[1]


def test_network_and_random_numbers_stay_as_they_were(quick, shape_arrays, model_of, monkeypatch):
    monkeypatch.setattr(twins, "SEEN", 0)
    model = model_of(shape_arrays, width=0.25)
    before = {name: tensor.clone() for name, tensor in model.net.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = fastlab.explain(model, shape_arrays).to_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.net.state_dict().items())
    assert not model.net.training
    assert all(parameter.grad is None for parameter in model.net.parameters())
    torch.rand(7)
    again = fastlab.explain(model, shape_arrays).to_dict()
    del first["cost"], again["cost"]    # milliseconds
    assert first == again


@pytest.mark.parametrize(("net", "fields", "gone"), [
    ("lenet-classic", {"width": 0.5}, {"lrn", "dropout", "learning"}), ("alexnet", {"width": 0.05}, {"learning"}),
    ("torchvision:squeezenet1_1", {}, {"learning"})])
def test_other_networks_leave_out_what_does_not_apply(quick, shape_arrays, model_of, monkeypatch, net, fields, gone):
    monkeypatch.setattr(twins, "SEEN", 0)
    found = fastlab.explain(model_of(shape_arrays, net, **fields), shape_arrays)
    assert set(found.left_out) == gone
    assert all(found.left_out.values())
    assert not any("twin" in name for name in found.figures["shift"]["answers"])
    assert any("study" in note for section in found.sections if section.key == "shift" for note in section.notes)
    parameters = sum(row["parameters"] for row in found.layers)
    assert parameters == found.figures["shapes"]["parameters"] > 0


def test_the_photograph_network_is_explained_on_few_images(quick, colour_shapes, model_of):
    arrays = Arrays.from_folder(colour_shapes, 3, 70)
    model = model_of(arrays, "alexnet2012", width=0.05, crop=67, switches={"padding": 0})
    found = fastlab.explain(model, arrays, split="all")
    assert not found.left_out
    assert {row["name"]: row["receptive_field"] for row in found.layers}["conv5"] == 163
    assert found.figures["n"] == 48
    assert found.figures["attention"]["window"] == 67 // 5


def plain_network(classes, channels, size):
    "A network without any convolution, as a user may have it."
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(channels * size * size, classes))


def test_a_network_without_maps_leaves_most_out(quick, shape_arrays, model_of):
    model = model_of(shape_arrays)
    model = replace(model, net=plain_network(4, 1, 28).eval(), recipe=model.recipe.changed(net="mine:plain_network"))
    found = fastlab.explain(model, shape_arrays)
    assert set(found.left_out) == {"fields", "prior", "kernels", "patches", "attention", "lrn", "dropout",
                                   "learning"}
    assert set(found.figures["batchnorm"]["networks"]) == {"this network"}


def test_mistakes_are_named(tmp_path, shape_arrays, model_of, model_file, split_shapes):
    with pytest.raises(ModelFileError, match=r"missing\.safetensors"):
        fastlab.explain(tmp_path / "missing.safetensors", split_shapes)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match="empty"):
        fastlab.explain(model_file, tmp_path / "empty")
    with pytest.raises(OptionError, match=r"28×28×1.* 32×32×1"):
        fastlab.explain(model_of(replace(shape_arrays, images=np.zeros((120, 32, 32, 1), np.uint8))), shape_arrays)
    with pytest.raises(OptionError, match="split"):
        fastlab.explain(model_file, split_shapes, split="tset")
    with pytest.raises(FolderError, match="there is no test split"):
        fastlab.explain(model_of(shape_arrays), shape_arrays.with_splits(test=np.arange(0)))
    with pytest.raises(FolderError, match="classes"):
        fastlab.explain(model_of(shape_arrays), replace(shape_arrays, classes=("a", "b", "c", "d")))
    with pytest.raises(OptionError, match="--out"):
        fastlab.explain(model_file, split_shapes, out=tmp_path)


def test_images_go_round_the_classes():
    assert spread(np.array([0, 0, 0, 1, 1, 2]), 5).tolist() == [0, 3, 5, 1, 4]


def test_the_middle_of_the_images_is_what_the_network_sees(shape_arrays, model_of):
    model = model_of(shape_arrays, crop=24)
    subject = Subject(model, shape_arrays)
    row = subject.rows[0]
    assert np.array_equal(subject.images[0], shape_arrays.images[row, 2:26, 2:26])
    assert subject.file(0) == shape_arrays.files[row]
    assert len(MAKERS) == len(ORDER)
