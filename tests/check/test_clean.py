"""A clean copy: what it keeps, what it leaves out, and that the original stays as it was to the last byte."""
import hashlib
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from planted import drawing, write_good

from fastlab.check import clean
from fastlab.check.clean import write_clean
from fastlab.check.findings import Finding, Findings
from fastlab.check.folder import check
from fastlab.errors import OptionError, StorageError
from fastlab.images.folder import read_folder


def state(root):
    "{path below root: (kind, time, content's hash or where a link leads)} of all that lies there."
    found = {}
    for path in sorted(root.rglob("*")):
        told = os.lstat(path)
        content = os.readlink(path) if path.is_symlink() else \
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        found[str(path.relative_to(root))] = (told.st_mode, told.st_mtime_ns, content)
    return found


def files(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def flawed(tmp_path):
    "A folder with splits in which something of every kind that is left out lies."
    root = write_good(tmp_path / "flawed", {"train": 6, "test": 4})
    (root / "classes.json").write_text('{"ant": "Ameise"}')
    (root / "train/ant/2.png").write_bytes(b"")
    Image.new("L", (64, 64), 255).save(root / "train/ant/3.png")
    shutil.copy(root / "train/bee/1.png", root / "train/bee/copy.png")
    shutil.copy(root / "train/cat/1.png", root / "test/cat/leak.png")
    shutil.copy(root / "train/bee/4.png", root / "train/bee/4b.png")
    shutil.copy(root / "train/bee/4.png", root / "train/ant/odd.png")
    (root / "train/ant/.hidden").write_text("")
    return root


GONE = {"train/ant/2.png", "train/ant/3.png", "train/bee/copy.png", "train/cat/1.png", "train/bee/4b.png",
        "train/ant/odd.png", "train/ant/.hidden"}


def test_the_copy_lacks_what_is_wrong_and_the_original_nothing(flawed, tmp_path):
    before = state(flawed)
    findings = check(flawed, False, jobs=1)
    told = write_clean(findings, tmp_path / "clean")
    assert files(tmp_path / "clean") == files(flawed) - GONE
    assert told == (30 + 4 - 6, 6)
    assert state(flawed) == before
    assert {finding.kind for finding in check(tmp_path / "clean", False, jobs=1)} <= {"split"}
    assert read_folder(tmp_path / "clean").names["ant"] == "Ameise"


def test_files_are_links_to_the_originals_where_links_can_be(flawed, tmp_path):
    moved = tmp_path / "elsewhere.png"
    (flawed / "train/cat/2.png").rename(moved)
    (flawed / "train/cat/2.png").symlink_to(moved)
    write_clean(check(flawed, False, jobs=1), tmp_path / "clean")
    for file in files(tmp_path / "clean"):
        assert (tmp_path / "clean" / file).is_symlink()
        assert (tmp_path / "clean" / file).samefile(flawed / file)
    assert os.readlink(tmp_path / "clean/train/cat/2.png") == str(moved)


def test_where_links_cannot_be_the_bytes_are_copied(flawed, tmp_path, monkeypatch):
    def no_links(source, target):
        raise OSError(1, "links are not supported here")
    monkeypatch.setattr(os, "symlink", no_links)
    write_clean(check(flawed, False, jobs=1), tmp_path / "clean")
    monkeypatch.undo()
    assert files(tmp_path / "clean") == files(flawed) - GONE
    for file in files(tmp_path / "clean"):
        assert not (tmp_path / "clean" / file).is_symlink()
        assert (tmp_path / "clean" / file).read_bytes() == (flawed / file).read_bytes()


def test_of_doubles_the_one_to_test_with_stays(flawed, tmp_path):
    write_clean(check(flawed, False, jobs=1), tmp_path / "clean", ["leak"])
    assert files(flawed) - files(tmp_path / "clean") == {"train/cat/1.png", "train/ant/.hidden"}


def test_only_what_is_named_is_left_out(flawed, tmp_path):
    findings = check(flawed, False, jobs=1)
    write_clean(findings, tmp_path / "one", ["unreadable"])
    assert files(flawed) - files(tmp_path / "one") == {"train/ant/2.png", "train/ant/.hidden"}
    write_clean(findings, tmp_path / "all", [])
    assert files(flawed) - files(tmp_path / "all") == {"train/ant/.hidden"}


def test_of_a_conflict_all_go_where_no_class_looks_right(tmp_path):
    root = write_good(tmp_path / "pair", {None: 3}, ("a", "b"))
    pixels = Image.fromarray(drawing(np.random.default_rng(9)))
    for name in ("a", "b"):
        pixels.save(root / name / "x.png")
    conflict = Finding("conflict", ("a/x.png", "b/x.png"), "", "", {"suggested": ""})
    write_clean(Findings(root, (conflict,)), tmp_path / "clean")
    assert files(root) - files(tmp_path / "clean") == {"a/x.png", "b/x.png"}


def test_class_names_that_are_no_text_are_told_and_the_right_class_is_kept(tmp_path):
    root, odd, empty = tmp_path / "odd", os.fsdecode(b"caf\xe9"), os.fsdecode(b"none\xff")
    try:
        write_good(root, {None: 12}, (odd,))
    except OSError:
        pytest.skip("this file system takes no names that are not UTF-8")
    write_good(root, {None: 3}, ("bee",), seed=2)
    (root / empty).mkdir()
    for name in ("a", "b"):
        shutil.copy(root / odd / "1.png", root / odd / f"{name}.png")
    shutil.copy(root / odd / "1.png", root / "bee/wrong.png")
    findings = check(root, False, jobs=1)
    assert [finding.details["suggested"] for finding in findings.of("conflict")] == [r"caf\xe9"]
    assert findings.of("imbalance")[0].details == {"classes": {"bee": 4, r"caf\xe9": 14, r"none\xff": 0}}
    assert [r"none\xff"] in [finding.details.get("classes") for finding in findings.of("split")]
    json.dumps(findings.to_dict(), ensure_ascii=False).encode("utf-8")
    findings.write_csv(tmp_path / "check.csv")
    findings.write_page(tmp_path / "check.html")
    assert r"caf\xe9" in (tmp_path / "check.csv").read_text("utf-8")
    write_clean(findings, tmp_path / "clean", ["conflict"])
    assert files(root) - files(tmp_path / "clean") == {"bee/wrong.png"}


def test_candidates_go_only_when_named_and_their_look_alikes_never(flawed, tmp_path):
    label = Finding("label", ("train/bee/2.png", "train/cat/2.png"), "", "", {"suggested": "cat"})
    findings = Findings(flawed, (label,))
    write_clean(findings, tmp_path / "default")
    assert "train/bee/2.png" in files(tmp_path / "default")
    write_clean(findings, tmp_path / "asked", ["label"])
    assert files(tmp_path / "default") - files(tmp_path / "asked") == {"train/bee/2.png"}


def test_places_that_are_taken_in_the_folder_or_around_it_are_refused(flawed, tmp_path):
    findings, before = check(flawed, False, jobs=1), state(flawed)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "taken", tmp_path / "file", flawed, flawed / "clean", tmp_path,
                  flawed / "train" / ".." / ".."):
        with pytest.raises(OptionError, match="--write-clean"):
            write_clean(findings, place)
    assert (tmp_path / "taken/mine.txt").read_text() == (tmp_path / "file").read_text() == "mine"
    assert state(flawed) == before
    (tmp_path / "empty").mkdir()
    write_clean(findings, tmp_path / "empty")
    assert len(files(tmp_path / "empty")) > 20


def test_a_place_where_nothing_can_be_written_is_a_mistake_with_its_name(flawed, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        write_clean(check(flawed, False, jobs=1), tmp_path / "file" / "clean")


def test_interrupted_it_leaves_nothing_behind(flawed, tmp_path, monkeypatch):
    findings, before, linked = check(flawed, False, jobs=1), state(tmp_path), clean._linked

    def interrupted(source, target):
        if source.name == "4.png":
            raise KeyboardInterrupt
        linked(source, target)
    monkeypatch.setattr(clean, "_linked", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_clean(findings, tmp_path / "clean")
    assert state(tmp_path) == before
    monkeypatch.undo()
    assert write_clean(findings, tmp_path / "clean")[0] == 28
