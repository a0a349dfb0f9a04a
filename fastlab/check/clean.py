"""A copy of a folder without what its findings name: links to the original's files, or copies where links cannot be."""
import os
import shutil
from pathlib import Path

from fastlab.check.findings import printable
from fastlab.check.listing import list_folder
from fastlab.errors import OptionError
from fastlab.files import storage_problem
from fastlab.images.folder import SPLITS

WITHOUT = ("unreadable", "empty", "identical", "leak", "conflict")   # what is left out where nothing else is said
SUSPECT_ONLY = frozenset({"label", "unlike"})                        # their other files are look-alikes
ONE_STAYS = frozenset({"identical", "near-identical", "leak"})
NOT_FILES = frozenset({"split", "imbalance"})                        # these name no file that could be left out
NAMES = "classes.json"


def left_out(findings, listing, kinds=WITHOUT):
    "The files that findings of these kinds leave out, a set of names relative to the folder."
    gone = set()
    for finding in findings.of(*kinds):
        if finding.kind in SUSPECT_ONLY:
            gone.add(finding.files[0])
        elif finding.kind == "conflict":
            gone |= _not_believed(finding, listing)
        elif finding.kind not in ONE_STAYS | NOT_FILES:
            gone |= set(finding.files)
    for finding in findings.of(*(set(kinds) & ONE_STAYS)):
        there = [file for file in finding.files if file not in gone]
        gone |= set(there) - set(sorted(there, key=lambda file: _worth(file, listing))[:1])
    return gone


def _not_believed(finding, listing):
    "Of one picture in several classes all files but those of the class that looks right, or all where none does."
    right = finding.details.get("suggested")
    return {file for file in finding.files if not right or printable(listing.class_name(file)) != right}


def _worth(file, listing):
    "Which of several doubles stays: the one to test with before one to train on, then the first by order."
    split, row = listing.place(file)
    return (-SPLITS.index(split) if split else 0, row)


def write_clean(findings, out, kinds=WITHOUT):
    """Writes to `out`, a new or empty folder, the image files of the findings' folder without those that findings of
    `kinds` name; returns (files written, files left out). Interrupted, it leaves nothing. Raises OptionError,
    StorageError."""
    root, out = Path(findings.folder).resolve(), Path(out)
    check_place(root, out)
    listing = list_folder(root)
    gone = left_out(findings, listing, kinds)
    kept = [file for file in listing.files if file not in gone]
    beside = out.resolve().parent / f".{out.name[:40]}.{os.getpid()}.part"
    try:
        beside.mkdir(parents=True)
        for file in [*kept, *([NAMES] if (root / NAMES).is_file() else [])]:
            _linked(root / file, beside / file)
        os.replace(beside, out)             # an empty folder there gives way
    except OSError as error:
        raise storage_problem(out, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return len(kept), len(listing.files) - len(kept)


def check_place(root, out, beside=None):
    """Raises OptionError unless `out` is new or empty and neither in the folder `root` nor around it; `beside`: the
    folder in which the check's page will lie, which must be another one."""
    root, place = Path(root).resolve(), Path(out).resolve()
    if place == root or root in place.parents or place in root.parents:
        raise OptionError(f"--write-clean {out}: it lies in the folder that is checked, or around it. Choose a place "
                          "beside it.")
    if Path(out).exists() and (not Path(out).is_dir() or any(Path(out).iterdir())):
        raise OptionError(f"--write-clean {out}: it is there already and not an empty folder. Name a new one.")
    if beside is not None and (place == Path(beside).resolve() or place in Path(beside).resolve().parents):
        raise OptionError(f"--write-clean {out}: the page of the check is to be written there too ({beside}). Name "
                          "another folder, or another one with --out.")


def _linked(source, target):
    "A symbolic link to the file itself, past any link that stood in its place; a copy where links cannot be made."
    target.parent.mkdir(parents=True, exist_ok=True)
    source = os.path.realpath(source)
    try:
        os.symlink(source, target)
    except (OSError, NotImplementedError):
        if os.path.lexists(target):
            raise
        shutil.copy2(source, target)
