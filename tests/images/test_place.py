"Results never land among the images that they are about."
import pytest

from fastlab.errors import OptionError
from fastlab.images.place import place_for


def test_what_is_named_is_taken_and_what_is_not_lies_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(place_for("there/out", "advice-images", tmp_path / "images")) == "there/out"
    assert str(place_for(None, "advice-images", "images")) == "advice-images"
    assert str(place_for(None, "advice-arrays", None)) == "advice-arrays"


@pytest.mark.parametrize("here", ["images", "images/train/a"])
def test_from_inside_the_images_results_go_beside_them(tmp_path, monkeypatch, here):
    (tmp_path / "images" / "train" / "a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / here)
    assert place_for(None, "advice-images", tmp_path / "images") == tmp_path.resolve() / "advice-images"
    with pytest.raises(OptionError, match="--out out: it lies in the folder of images"):
        place_for("out", "advice-images", tmp_path / "images")


def test_a_link_into_the_images_is_no_way_around(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "images")
    with pytest.raises(OptionError):
        place_for(tmp_path / "link" / "out", "advice", tmp_path / "images")
    assert place_for(tmp_path / "images-out", "advice", tmp_path / "images") == tmp_path / "images-out"
