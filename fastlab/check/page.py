"""The page of a check: every finding with its pictures, one file that carries all it needs.

Its size is bounded: a kind shows so many findings with pictures, a finding so many pictures, the page so many in all;
what goes beyond is listed by name."""
import os
import re
from collections import Counter
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup, escape

from fastlab.check.findings import CANDIDATES, KINDS, printable
from fastlab.check.thumbnails import data_uri

FINDINGS_A_KIND = 120       # shown with pictures
FILES_A_FINDING = 16
PICTURES = 1500             # on the whole page
LISTED = 2000               # names beyond that, a kind
TITLES = {"unreadable": "Unreadable", "conflict": "Conflict", "leak": "Leak", "label": "Label",
          "unlike": "Unlike its class",
          "empty": "Empty", "size": "Size", "format": "Format", "identical": "Identical",
          "near-identical": "Nearly identical", "split": "Splits", "imbalance": "Imbalance"}
COMPACT = frozenset({"unreadable", "identical", "near-identical", "leak", "empty", "size", "format"})


def render(findings, title=None):
    "The page as HTML text, for Findings; title: by default the folder's name."
    pages = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pages.filters["with_options"] = _with_options
    template = pages.from_string((files("fastlab.check") / "page.html").read_text("utf-8"))
    pictures = Pictures(findings)
    sections = [_section(findings, kind, pictures) for kind in KINDS if findings.counts[kind]]
    return template.render(title=title or printable(findings.folder.resolve().name), folder=printable(findings.folder),
                           images=findings.images, notes=findings.notes, sections=sections, total=len(findings))


def _with_options(text):
    "A text whose --options are not broken over two lines."
    return Markup(re.sub(r"(--[a-z-]+)", r"<code>\1</code>", str(escape(text))))


class Pictures:
    "Makes pictures until there are PICTURES of them; afterwards files are shown by name only."

    def __init__(self, findings):
        self.root, self.names, self.made = findings.folder, findings.names, {}

    def shown(self, file):
        "What the template needs to show a file: name, caption and its picture if it has one."
        if file not in self.made and len(self.made) < PICTURES:
            self.made[file] = data_uri(self.root / file)
        found = self.made.get(file)
        parent = os.path.basename(os.path.dirname(file))
        name = self.names.get(parent, parent)
        return {"file": printable(file), "name": printable(os.path.basename(file)),
                "place": printable(os.path.dirname(file)), "class": printable(name) if name != parent else "",
                "picture": found[0] if found else "", "pixels": bool(found and found[1])}


def _section(findings, kind, pictures):
    "One kind: its findings with pictures, and those beyond the bound by name."
    found = findings.of(kind)
    cards = [_card(finding, pictures) for finding in found[:FINDINGS_A_KIND]]
    rest = [{"files": ", ".join(map(printable, finding.files[:6])), "reason": finding.reason}
            for finding in found[FINDINGS_A_KIND:FINDINGS_A_KIND + LISTED]]
    usual, times = Counter(finding.action for finding in found).most_common(1)[0]
    return {"kind": kind, "title": TITLES[kind], "meaning": KINDS[kind], "count": len(found), "cards": cards,
            "rest": rest, "unlisted": max(0, len(found) - FINDINGS_A_KIND - LISTED), "candidate": kind in CANDIDATES,
            "compact": kind in COMPACT, "action": usual if 2 * times > len(found) else ""}


def _card(finding, pictures):
    shown = [pictures.shown(file) for file in finding.files[:FILES_A_FINDING]]
    suspect = finding.kind in ("conflict", *CANDIDATES)
    return {"reason": finding.reason, "action": finding.action, "files": shown, "suspect": suspect,
            "pictured": any(file["picture"] for file in shown),
            "beyond": len(finding.files) - len(shown), "suggested": finding.details.get("suggested", ""),
            "alike": finding.kind in CANDIDATES}
