"""What the layout of a folder, its splits and the counts of its classes say."""
import math
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from planted import drawing, write_good

from fastlab.check.folder import check
from fastlab.check.listing import STOPS
from fastlab.errors import FolderError
from fastlab.images.folder import read_folder

NOBODY = 65534


def kinds(findings):
    return {finding.kind for finding in findings}


def reasons(findings, kind="split"):
    return [finding.reason for finding in findings.of(kind)]


@contextmanager
def without_rights():
    "A new folder that everyone may enter, and a process whose user is nobody special."
    place = Path(tempfile.mkdtemp(prefix="fastlab-test-"))
    place.chmod(0o777)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    try:
        if root:
            try:
                os.seteuid(NOBODY)
            except OSError:
                pytest.skip("this root may not become another user, so no file is forbidden to it")
        yield place
    finally:
        if root:
            os.seteuid(0)
        for folder, _, _ in os.walk(place):
            os.chmod(folder, 0o777)
        shutil.rmtree(place)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="file permissions are tested where users have numbers")
def test_a_file_and_a_folder_without_permission_are_named():
    with without_rights() as place:
        root = write_good(place / "data")
        (root / "train/ant/3.png").chmod(0)
        (root / "test/cat").chmod(0)
        findings = check(root, labels=False, jobs=1)
        told = {finding.files: finding.reason for finding in findings.of("unreadable")}
        assert told == {("test/cat",): "the folder cannot be read (Permission denied)",
                        ("train/ant/3.png",): "permission denied"}
        (root / "test/cat").chmod(0o700)


def test_where_there_is_no_folder_the_error_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    for name, words in (("nothing", "no such folder"), ("file", "this is a file")):
        with pytest.raises(FolderError, match=words):
            check(tmp_path / name)


def test_files_are_those_of_a_training_in_the_same_order(good):
    (good / "train/ant/10.png").rename(good / "train/ant/100.png")
    (good / "classes.json").write_text('{"ant": "蚂蚁"}')
    findings, folder = check(good, False, jobs=1), read_folder(good)
    assert findings.images == len(folder.files)
    assert findings.names == folder.names
    from fastlab.check.listing import list_folder
    listing = list_folder(good)
    assert [str(good / file) for file in listing.files] == list(map(str, folder.files))
    assert listing.label.tolist() == folder.labels.tolist()
    assert listing.classes == folder.classes


def test_a_class_that_a_split_lacks_is_named(good):
    shutil.rmtree(good / "test" / "bee")
    assert "classes differ between splits: 'bee' is missing in test" in reasons(check(good, False, jobs=1))
    with pytest.raises(FolderError):
        read_folder(good)


def test_an_empty_class_is_named_even_if_its_files_cannot_be_read(good):
    for file in (good / "train" / "ant").iterdir():
        file.write_bytes(b"")
    (finding,) = (finding for finding in check(good, False, jobs=1).of("split") if "empty" in finding.reason)
    assert finding.files == ("train/ant",)
    assert finding.details == {"classes": ["ant"], "split": "train"}


def test_one_class_is_not_enough(tmp_path):
    write_good(tmp_path, {None: 12}, ("only",))
    assert any("only one class, 'only'" in reason for reason in reasons(check(tmp_path, False, jobs=1)))


def test_a_folder_of_nothing_is_told_and_does_not_crash(tmp_path):
    findings = check(tmp_path, jobs=1)
    assert findings.images == 0
    assert any("no class folders" in reason for reason in reasons(findings))
    assert findings.exit_code() == 1


def test_no_train_split_two_names_for_one_and_folders_beside_splits(good):
    write_good(good / "more", {None: 3})
    (good / "more").rename(good / "valid")
    write_good(good / "again", {None: 3}, seed=1)
    (good / "again").rename(good / "val")
    (good / "elephant").mkdir()
    told = reasons(check(good, False, jobs=1))
    assert "'val' and 'valid' both mean the split 'develop'" in told
    assert any("stands beside the splits" in reason for reason in told)
    for name in ("elephant", "val", "valid"):
        shutil.rmtree(good / name)
    shutil.rmtree(good / "train")
    assert any("no train split" in reason for reason in reasons(check(good, False, jobs=1)))


def test_total_train_is_train_or_passed_over_and_this_is_said(good):
    shutil.copytree(good / "train", good / "total_train")
    findings = check(good, False, jobs=1)
    assert findings.images == 3 * (14 + 8)
    assert "The folder total_train is not looked at: it is train and develop together." in findings.notes
    assert findings.of("identical") == ()
    shutil.rmtree(good / "train")
    findings = check(good, False, jobs=1)
    assert findings.images == 3 * (14 + 8)
    assert "The folder total_train is used as train." in findings.notes
    assert not any("total_train" in finding.files for finding in findings)


def test_total_train_beside_develop_stops_a_check_as_it_stops_a_training(good):
    (good / "train").rename(good / "total_train")
    shutil.copytree(good / "test", good / "val")
    with pytest.raises(FolderError, match="learned by heart"):
        read_folder(good)
    findings = check(good, False, jobs=1)
    (finding,) = [finding for finding in findings.of("split") if finding.files == ("total_train",)]
    assert "would be learned by heart" in finding.reason
    assert finding.action == STOPS
    assert findings.exit_code(["split"]) == 1


def test_imbalance_is_told_from_three_to_one_on(tmp_path):
    write_good(tmp_path, {None: 5}, ("few", "more"))
    rng = np.random.default_rng(4)
    for number in range(6, 15):
        Image.fromarray(drawing(rng)).save(tmp_path / "more" / f"{number}.png")
    assert check(tmp_path, False, jobs=1).of("imbalance") == ()
    Image.fromarray(drawing(rng)).save(tmp_path / "more" / "15.png")
    (finding,) = check(tmp_path, False, jobs=1).of("imbalance")
    assert "'more' has 15 images, 'few' 5: 3.0 times as many" in finding.reason
    assert finding.details == {"classes": {"few": 5, "more": 15}}


def test_an_empty_class_is_told_as_empty_and_is_not_what_others_are_held_against(tmp_path):
    write_good(tmp_path, {None: 5}, ("one", "other"))
    (tmp_path / "none").mkdir()
    findings = check(tmp_path, False, jobs=1)
    assert findings.of("imbalance") == ()
    assert any("the class 'none' is empty" in finding.reason for finding in findings.of("split"))


def wilson_by_hand(right, n, z=1.959963984540054):
    "The two roots of (p − right/n)² = z² p (1 − p) / n (Wilson 1927)."
    share = right / n
    a, b, c = 1 + z * z / n, -(2 * share + z * z / n), share * share
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@pytest.mark.parametrize("count", [8, 30])
def test_too_few_images_to_test_with_are_told_with_the_interval_that_n_gives(tmp_path, count):
    write_good(tmp_path, {"train": 9, "test": count})
    (finding,) = (finding for finding in check(tmp_path, False, jobs=1).of("split") if "too few" in finding.reason)
    low, high = wilson_by_hand(round(0.95 * (3 * count)), 3 * count)
    assert finding.details["n"] == 3 * count
    assert finding.details["interval"] == pytest.approx([low, high], abs=1e-9)
    assert f"{low * 100:.1f} to {high * 100:.1f} %" in finding.reason
    assert ("fewer than 10 of 'ant'" in finding.reason) == (count < 10)


def test_a_folder_without_splits_is_told_of_the_fifth_that_will_be_tested(tmp_path):
    write_good(tmp_path, {None: 50})
    (finding,) = check(tmp_path, False, jobs=1).of("split")
    assert finding.details["n"] == 30
    assert finding.details["interval"] == pytest.approx(wilson_by_hand(28, 30), abs=1e-9)


def test_classes_json_that_cannot_be_used_is_named(good):
    (good / "classes.json").write_text("[1, 2")
    (finding,) = check(good, False, jobs=1).of("unreadable")
    assert finding.files == ("classes.json",)
    assert "JSON" in finding.reason
    assert str(good) not in finding.reason


def test_no_test_split_is_told(good):
    shutil.rmtree(good / "test")
    assert "there is no test split" in reasons(check(good, False, jobs=1))


def test_notes_and_readmes_beside_the_classes_disturb_nobody(good):
    (good / "README.md").write_text("hello")
    (good / ".DS_Store").write_bytes(b"\0")
    (good / "train" / "labels.csv").write_text("a,b")
    assert kinds(check(good, False, jobs=1)) <= {"split"}
    assert not any("beside" in reason for reason in reasons(check(good, False, jobs=1)))
