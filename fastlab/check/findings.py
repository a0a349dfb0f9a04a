"""What a check found: findings of a few kinds, as data that prints, saves and decides an exit code."""
import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from fastlab.errors import one_of
from fastlab.files import write_text

# kind → what it means, in the order in which people should look at them
KINDS = {
    "unreadable": "cannot be decoded",
    "conflict": "one picture in several classes",
    "leak": "one picture in several splits",
    "label": "the label looks wrong",
    "unlike": "unlike the rest of its class",
    "empty": "nothing on it, or inverted",
    "size": "extreme size or shape",
    "format": "will be changed when it is read",
    "identical": "the same pixels several times",
    "near-identical": "shifted, rescaled or recompressed copies",
    "split": "splits and classes do not fit",
    "imbalance": "classes of very different size",
}
CANDIDATES = frozenset({"label", "unlike"})     # worth a look; alone they are no reason to stop


@dataclass(frozen=True)
class Finding:
    """One thing that a careful person would point out. kind: one of KINDS; files: relative to the folder, the suspect
    first; reason: what is wrong; action: what fastlab does with it; details: further figures, such as probabilities."""
    kind: str
    files: tuple
    reason: str
    action: str
    details: dict = field(default_factory=dict)

    def __post_init__(self):
        one_of("kind", self.kind, KINDS)

    def to_dict(self):
        "Plain data for JSON; names that are not UTF-8 are written with escapes."
        return {"kind": self.kind, "files": [printable(file) for file in self.files], "reason": self.reason,
                "action": self.action, **self.details}


@dataclass(frozen=True)
class Findings:
    """All findings on a folder. images: how many image files were looked at; notes: what was assumed or left out;
    names: {class: name to show}. Iterates over its findings, the kinds in KINDS' order."""
    folder: Path
    found: tuple
    images: int = 0
    notes: tuple = ()
    names: dict = field(default_factory=dict)

    def __iter__(self):
        return iter(self.found)

    def __len__(self):
        return len(self.found)

    def of(self, *kinds):
        "The findings of some kinds."
        return tuple(finding for finding in self.found if finding.kind in kinds)

    @cached_property
    def counts(self):
        "{kind: number of findings}, every kind."
        counted = Counter(finding.kind for finding in self.found)
        return {kind: counted[kind] for kind in KINDS}

    def exit_code(self, fail_on=None):
        "1 where anything counts, else 0. fail_on: the kinds that count; by default all but `label` and `unlike`."
        counting = set(KINDS) - CANDIDATES if fail_on is None else set(fail_on)
        return int(any(self.counts[kind] for kind in counting))

    def to_dict(self):
        "Plain data for JSON: `findings` and `counts`, and what they are about."
        return {"folder": printable(self.folder), "images": self.images, "counts": self.counts,
                "findings": [finding.to_dict() for finding in self.found], "notes": list(self.notes)}

    def to_csv(self):
        "One line a file of every finding, for a spreadsheet: finding, kind, place in it, file, reason, action."
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["finding", "kind", "place", "file", "reason", "action", "suggested"])
        for number, finding in enumerate(self.found, 1):
            for place, file in enumerate(finding.files or ("",), 1):
                writer.writerow([number, finding.kind, place, printable(file), finding.reason, finding.action,
                                 finding.details.get("suggested", "")])
        return text.getvalue()

    def write_csv(self, path):
        write_text(path, self.to_csv())

    def write_page(self, path, **options):
        "The page with the pictures of every finding; options: see `page.render`."
        from fastlab.check.page import render
        write_text(path, render(self, **options))


def in_order(found):
    "Findings sorted by kind as KINDS stand; within a kind they keep their order."
    place = {kind: number for number, kind in enumerate(KINDS)}
    return tuple(sorted(found, key=lambda finding: place[finding.kind]))


def printable(name):
    "A file's name as UTF-8 text; bytes that are none become escapes such as \\xff."
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def kinds_named(option, words):
    "The kinds in 'leak,unreadable' or in a list. Raises OptionError for one that is not known."
    words = words.split(",") if isinstance(words, str) else words
    return tuple(one_of(option, word.strip(), KINDS) for word in words if word.strip())
