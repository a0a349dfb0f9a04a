"""Checks a folder: every file looked at once, then all that its pixels, its layout and a network say about it."""
from contextlib import closing
from pathlib import Path

import numpy as np

from fastlab.check.classes import class_findings
from fastlab.check.doubles import double_findings, identical_groups, near_findings, near_groups
from fastlab.check.findings import Findings, in_order
from fastlab.check.listing import list_folder
from fastlab.check.scan import scan
from fastlab.check.single import single_findings


def check(folder, labels=True, seed=0, jobs=None, cache=None, progress=None):
    """Looks at every image of a folder `<split>/<class>/<image>` or `<class>/<image>` and returns Findings.

    labels: also train networks, each tested on images it has not seen, to find labels that look wrong and images unlike
    their class; this takes most of the time. seed: of those. jobs: processes, by default one a core. cache: a folder
    for decoded images. progress(step, done, total) is called now and then. Nothing in the folder is changed. Raises
    FolderError only where there is no folder."""
    listing = list_folder(folder)
    seen = scan(listing, jobs, _step(progress, "Looking at image"))
    with closing(seen.thumbs):
        same = identical_groups(seen)
        alike = near_groups(seen, same, _step(progress, "Comparing pair"))
        about_classes, notes = class_findings(listing, seen.readable)
        found = [*listing.found, *single_findings(seen), *about_classes, *near_findings(seen, alike)]
        about_labels, told, probabilities = [], [], None
        if labels:
            about_labels, told, probabilities = _labels(seen, same, alike, seed, jobs, cache, progress)
        found += [*double_findings(seen, same, probabilities), *about_labels]
    return Findings(Path(folder), in_order(found), len(listing.files), (*listing.notes, *notes, *told),
                    dict(listing.names))


def _labels(seen, same, alike, seed, jobs, cache, progress):
    "(findings, notes, probabilities float32 (files, classes) or None) of networks on images they have not seen."
    from fastlab.check.folds import kept_together
    from fastlab.check.labels import judged_images, label_findings, unlike_findings
    groups = kept_together(seen.listing.label, seen.readable, same, [rows for rows, _ in alike])
    judged, notes = judged_images(seen, groups, seed, jobs, cache, _step(progress, "Judging labels, fold"))
    if judged is None:
        return [], notes, None
    probabilities = np.zeros((len(seen.digests), len(seen.listing.classes)), np.float32)
    probabilities[seen.readable] = np.exp(judged.log_probabilities)
    return [*label_findings(seen, judged), *unlike_findings(seen, judged)], notes, probabilities


def _step(progress, name):
    return None if progress is None else lambda done, total: progress(name, done, total)
