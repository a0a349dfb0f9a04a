"""Checks a folder: every file looked at once, then all that its pixels, its layout and a network say about it."""
from pathlib import Path

from fastlab.check.classes import class_findings
from fastlab.check.doubles import double_findings, identical_groups, near_findings
from fastlab.check.findings import Findings, in_order
from fastlab.check.listing import list_folder
from fastlab.check.scan import scan
from fastlab.check.single import single_findings


def check(folder, labels=True, seed=0, jobs=None, progress=None):
    """Looks at every image of a folder `<split>/<class>/<image>` or `<class>/<image>` and returns Findings.

    labels: also train networks, each tested on images it has not seen, to find labels that look wrong and images unlike
    their class; this takes most of the time. seed: of those. jobs: processes, by default one a core. progress: called
    with (step, done, total). Nothing in the folder is changed. Raises FolderError only where there is no folder."""
    listing = list_folder(folder)
    seen = scan(listing, jobs, _step(progress, "Looking at image"))
    groups = identical_groups(seen)
    about_classes, notes = class_findings(listing, seen.readable)
    found = [*listing.found, *single_findings(seen), *about_classes]
    found += near_findings(seen, groups, _step(progress, "Comparing pair"))
    found += double_findings(seen, groups)
    seen.thumbs.close()
    return Findings(Path(folder), in_order(found), len(listing.files), (*listing.notes, *notes))


def _step(progress, name):
    return None if progress is None else lambda done, total: progress(name, done, total)
