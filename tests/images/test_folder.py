"""Folders of every layout, in an order that no disk can change, and a message for every layout that is none."""
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from fastlab.errors import FolderError, OptionError
from fastlab.images.folder import read_folder


def planted(root, *files):
    "Empty files below `root`: reading a folder opens none."
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def planted_splits(root, *splits, classes=("a", "b"), count=1):
    return planted(root, *[f"{split}/{name}/{n}.png" for split in splits for name in classes for n in range(count)])


class Shuffled:
    "What os.scandir gives, in an order of its own."

    def __init__(self, place, rng, scandir=os.scandir):
        with scandir(place) as entries:
            self.entries = list(entries)
        rng.shuffle(self.entries)

    def __enter__(self):
        return iter(self.entries)

    def __exit__(self, *_):
        pass


# -- what is read ------------------------------------------------------------------------------------------------------
def test_class_folders_are_read_with_names_labels_and_files(shapes):
    folder = read_folder(shapes)
    assert folder.classes == ("1", "2", "3", "10")
    assert folder.names == {"1": "disc", "2": "ring", "3": "cross", "10": "bars"}
    assert [Path(file).parent.name for file in folder.files] == [folder.classes[label] for label in folder.labels]
    assert len(folder.files) == 120
    assert folder.labels.dtype == np.int64


def test_an_unsplit_folder_is_split_and_says_so(shapes):
    folder = read_folder(shapes, seed=5)
    assert {split: len(rows) for split, rows in folder.splits.items()} == {"train": 76, "develop": 20, "test": 24}
    assert "split 64/16/20 by class with seed 5" in folder.notes[0]


def test_split_folders_keep_their_splits_and_assume_nothing(split_shapes):
    folder = read_folder(split_shapes)
    for split, rows in folder.splits.items():
        assert {Path(folder.files[row]).parent.parent.name for row in rows} == {split}
    assert [len(rows) for rows in folder.splits.values()] == [72, 24, 24]
    assert folder.notes == ()


@pytest.mark.parametrize("name", ["valid", "val", "validation", "dev", "Develop", "VALID"])
def test_the_develop_split_goes_by_many_names(tmp_path, name):
    folder = read_folder(planted_splits(tmp_path, "Train", name, "TEST"))
    assert {split: len(rows) for split, rows in folder.splits.items()} == {"train": 2, "develop": 2, "test": 2}


def test_without_develop_a_fifth_of_train_is_held_back_and_said(tmp_path):
    folder = read_folder(planted_splits(tmp_path, "train", "test", count=10))
    assert [len(rows) for rows in folder.splits.values()] == [16, 4, 20]
    assert all(Path(folder.files[row]).parent.parent.name == "train" for row in folder.splits["develop"])
    assert "A fifth of train is held back" in folder.notes[0]


def test_without_test_there_are_no_test_rows_and_it_is_said(tmp_path):
    folder = read_folder(planted_splits(tmp_path, "train", "develop"))
    assert len(folder.splits["test"]) == 0
    assert "no test split" in folder.notes[0]


def test_total_train_is_passed_over_beside_train_and_used_without_it(tmp_path):
    beside = read_folder(planted_splits(tmp_path / "1", "train", "develop", "total_train"))
    assert {Path(file).parent.parent.name for file in beside.files} == {"train", "develop"}
    alone = read_folder(planted_splits(tmp_path / "2", "total_train", "test", count=5))
    assert [len(rows) for rows in alone.splits.values()] == [8, 2, 10]


# -- order -------------------------------------------------------------------------------------------------------------
def test_files_and_classes_come_in_natural_order(tmp_path):
    folder = read_folder(planted(tmp_path, *[f"{c}/{n}.png" for c in ("10", "2", "1") for n in (10, 9, 1, 2, 11)]))
    assert folder.classes == ("1", "2", "10")
    assert [Path(file).stem for file in folder.files[:5]] == ["1", "2", "9", "10", "11"]


def test_fault_10_the_order_on_the_disk_changes_nothing(shapes, monkeypatch):
    want = read_folder(shapes, seed=1)
    rng = np.random.default_rng(0)
    monkeypatch.setattr(os, "scandir", lambda place: Shuffled(place, rng))
    for _ in range(3):
        found = read_folder(shapes, seed=1)
        assert found.files == want.files
        assert all(np.array_equal(found.splits[split], want.splits[split]) for split in want.splits)


def test_a_moved_folder_is_split_in_the_same_way(shapes, tmp_path):
    moved = read_folder(shutil.copytree(shapes, tmp_path / "moved"), seed=1)
    want = read_folder(shapes, seed=1)
    assert all(np.array_equal(moved.splits[split], want.splits[split]) for split in want.splits)


# -- what is passed over -----------------------------------------------------------------------------------------------
def test_hidden_files_and_a_systems_own_are_passed_over(tmp_path):
    planted(tmp_path, "a/1.png", "b/1.PNG", "a/.DS_Store", "b/Thumbs.db", ".git/x.png", "__MACOSX/a/1.png", "README.md")
    planted(tmp_path, *[f"{name}/{n}.png" for name in "ab" for n in range(2, 6)])
    folder = read_folder(tmp_path)
    assert folder.classes == ("a", "b")
    assert len(folder.files) == 10


def test_links_to_files_and_folders_are_followed_and_broken_ones_kept_for_the_decoder(tmp_path):
    planted(tmp_path / "real", *[f"{n}.png" for n in range(4)])
    data = planted(tmp_path / "data", *[f"a/{n}.png" for n in range(4)])
    (data / "b").symlink_to(tmp_path / "real")
    (data / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (data / "a" / "round.png").symlink_to(data / "a" / "round.png")
    folder = read_folder(data)
    assert folder.classes == ("a", "b")
    assert len(folder.files) == 10


# -- names -------------------------------------------------------------------------------------------------------------
def test_one_split_of_a_data_set_finds_the_names_beside_it(split_shapes):
    assert read_folder(split_shapes / "train").names["10"] == "bars"


def test_names_of_a_folder_next_door_are_not_taken(tmp_path):
    (tmp_path / "classes.json").write_text('{"a": "wrong"}')
    planted(tmp_path, *[f"mine/{name}/{n}.png" for name in "ab" for n in range(5)])
    assert read_folder(tmp_path / "mine").names == {"a": "a", "b": "b"}


@pytest.mark.parametrize("content", ["[1, 2]", "{", "\"a\""])
def test_names_that_cannot_be_read_are_an_error_that_names_the_file(tmp_path, content):
    planted(tmp_path, *[f"{name}/{n}.png" for name in "ab" for n in range(5)])
    (tmp_path / "classes.json").write_text(content)
    with pytest.raises(FolderError, match=r"classes\.json: not a JSON object"):
        read_folder(tmp_path)


def test_a_class_without_a_name_is_called_by_its_folder(tmp_path):
    planted(tmp_path, *[f"{name}/{n}.png" for name in "ab" for n in range(5)])
    (tmp_path / "classes.json").write_text(json.dumps({"a": "学"}))
    assert read_folder(tmp_path).names == {"a": "学", "b": "b"}


# -- groups ------------------------------------------------------------------------------------------------------------
def test_writers_stay_in_one_split(tmp_path):
    folder = read_folder(planted(tmp_path, *[f"{c}/w{w}_{n}.png" for c in "ab" for w in range(12) for n in range(3)]),
                         group_by=r"w(\d+)_")
    homes = [{Path(folder.files[row]).name.split("_")[0] for row in rows} for rows in folder.splits.values()]
    assert all(homes)
    assert sum(map(len, homes)) == 12
    assert "kept together" in folder.notes[0]


def test_writers_stay_together_when_develop_is_held_back(tmp_path):
    names = [f"{c}/w{w}_{n}.png" for c in "ab" for w in range(10) for n in range(2)]
    planted(tmp_path, *[f"train/{name}" for name in names], "test/a/w90_0.png", "test/b/w90_0.png")
    folder = read_folder(tmp_path, group_by=r"w(\d+)_")
    homes = [{Path(folder.files[row]).name.split("_")[0] for row in rows} for rows in folder.splits.values()]
    assert sum(map(len, homes)) == len(set.union(*homes)) == 11


def test_a_writer_in_two_given_splits_is_an_error_that_names_all_three(tmp_path):
    places = ("train", 1), ("train", 2), ("test", 2)
    planted(tmp_path, *[f"{split}/{name}/w{writer}.png" for split, writer in places for name in "ab"])
    with pytest.raises(FolderError, match=r"the group '2' .* is in train and in test.*Move its files"):
        read_folder(tmp_path, group_by=r"w(\d+)")


def test_groups_too_large_for_three_splits_are_an_error_with_a_cure(tmp_path):
    planted(tmp_path, *[f"{c}/w{w}_{n}.png" for c in "ab" for w in range(2) for n in range(5)])
    with pytest.raises(FolderError, match=r"smaller groups with --group-by"):
        read_folder(tmp_path, group_by=r"w(\d+)_")


def test_an_expression_that_matches_nothing_is_an_option_error(shapes):
    with pytest.raises(OptionError, match="--group-by"):
        read_folder(shapes, group_by="writer")


# -- layouts that are none ---------------------------------------------------------------------------------------------
BAD = {
    "missing": ([], "there is no such folder"),
    "one class": (["a/1.png"], "only one class, 'a'"),
    "images beside classes": (["a/1.png", "b/1.png", "c.JPG"], r"images lie beside the folders \('c\.JPG'\)"),
    "only images": (["1.png", "2.png"], "images and no class folders lie in it"),
    "nested": (["a/1.png", "b/1.png", "b/more/1.png"], r"b: folders inside a class \('more'\)"),
    "too few to split": (["a/1.png", "a/2.png", "b/1.png", "b/2.png"], "no image of 'a', 'b' is in the split"),
    "splits that differ": (["train/a/1", "train/b/1", "test/a/1", "test/c/1"],
                           "train and test differ in the classes 'b', 'c'"),
    "fault_5 empty develop": (["train/a/1", "train/b/1", "develop/.keep"], "develop: this split has no class folders"),
    "develop twice": (["train/a/1", "valid/a/1", "val/a/1"], "'val' and 'valid' both mean the split 'develop'"),
    "classes beside splits": (["train/a/1", "train/b/1", "cats/1.png"], "'cats' stand beside the splits"),
    "images beside splits": (["train/a/1", "train/b/1", "x.png"], "images lie beside"),
    "no train": (["test/a/1", "test/b/1"], "no split is named 'train'"),
    "total_train and develop": (["total_train/a/1", "total_train/b/1", "dev/a/1", "dev/b/1"], "learned by heart"),
    "splits without classes": (["train/1.png", "test/1.png"], "hold no class folders"),
}


@pytest.mark.parametrize(("files", "told"), BAD.values(), ids=BAD)
def test_fault_5_a_layout_that_is_none_is_an_error_with_path_rule_and_cure(tmp_path, files, told):
    root = planted(tmp_path / "data", *files)
    with pytest.raises(FolderError, match=told) as caught:
        read_folder(root)
    assert str(caught.value).startswith(str(root))
    assert str(caught.value).count(".") >= 2


def test_an_empty_folder_and_an_empty_class_are_errors(tmp_path):
    with pytest.raises(FolderError, match="the folder is empty"):
        read_folder(tmp_path)
    planted(tmp_path, "a/1.png")
    (tmp_path / "b").mkdir()
    with pytest.raises(FolderError, match="b: the class has no images"):
        read_folder(tmp_path)


def test_a_file_in_place_of_a_folder_is_an_error(tmp_path):
    with pytest.raises(FolderError, match="this is a file"):
        read_folder(planted(tmp_path, "data") / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_an_error_with_a_cure(tmp_path):
    planted(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "b").chmod(0)
    with pytest.raises(FolderError, match=r"cannot be read.*permissions"):
        read_folder(tmp_path)
