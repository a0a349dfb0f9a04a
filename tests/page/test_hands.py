"""Characters that the page draws by itself."""
import numpy as np
import pytest

from fastlab.page.drawing import read_strokes
from fastlab.page.hands import example_of, examples, glyphs
from fastlab.strokes.dataset import pen_paths


def test_only_classes_whose_strokes_are_known_are_offered():
    assert examples(("学", "cat", "用")) == ["学", "用"]
    assert examples(("0", "1")) == []


@pytest.mark.parametrize("name", list("博学笃志切问近思自由无用"))
def test_every_example_is_a_drawing_that_the_page_may_send(name):
    strokes = read_strokes(example_of(name))
    points = np.concatenate(strokes)
    assert points.min() >= 0
    assert points.max() <= 1


def test_each_example_is_in_a_new_hand_and_a_seed_repeats_one():
    assert example_of("学") != example_of("学")
    assert example_of("学", seed=3) == [path.round(4).tolist() for path in pen_paths("学", seed=3)]


@pytest.mark.parametrize("name", ["", "cat", "学学", "\ud800", "../学"])
def test_other_names_have_no_example(name):
    assert example_of(name) is None


def test_names_are_drawn_with_the_strokes_of_the_characters_that_stand_in_them():
    assert glyphs(("cat", "7")) == {}
    found = glyphs(("学", "切问", "猫"))
    assert {sign: len(strokes) for sign, strokes in found.items()} == {"学": 8, "切": 4, "问": 6}
    points = np.concatenate([np.array(stroke) for strokes in found.values() for stroke in strokes])
    assert points.min() >= 0
    assert points.max() <= 100


def test_the_page_serves_them(visitor):
    told = visitor.get("/api/about").json()
    assert told["examples"] == list("博学笃志切问近思自由无用") == list(told["glyphs"])
    assert len(visitor.get("/api/example", params={"name": "学"}).json()["strokes"]) >= 5
    assert visitor.get("/api/example", params={"name": "cat"}).status_code == 404
    assert visitor.get("/api/example").status_code == 404
