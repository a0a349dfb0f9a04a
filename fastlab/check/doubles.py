"""Doubles: the same pixels in several files, across formats, splits and classes.

A picture in two classes is wrong in at least one of them. Which one, is decided by the group's own majority, else by
what other pictures of these classes look like: the suspect comes first."""
import numpy as np

from fastlab.check.belief import beliefs
from fastlab.check.findings import Finding, printable
from fastlab.check.nearly import joined, near_pairs

LEAK = "training uses them all, and a test on a copy proves nothing; --write-clean keeps the one to test with"
CONFLICT = "training uses them all under both labels; --write-clean leaves the suspect out"
TWICE = "training uses each of them; --write-clean keeps one"
NEARLY = "training uses each of them; look at them"
UNSPLIT = ("training uses each of them, and as it splits this folder by chance, one may be tested that was trained on; "
           "--write-clean keeps one")


def identical_groups(scan):
    "Rows with the same pixels: a list of int arrays, each in order, the groups by their first row."
    rows = scan.readable
    if not len(rows):
        return []
    _, of, counts = np.unique(scan.digests[rows], axis=0, return_inverse=True, return_counts=True)
    of = of.reshape(-1)
    several = np.flatnonzero(counts[of] > 1)
    order = several[np.argsort(of[several], kind="stable")]
    parts = np.split(rows[order], np.flatnonzero(np.diff(of[order])) + 1) if len(order) else []
    return sorted(parts, key=lambda group: group[0])


def double_findings(scan, groups, probabilities=None):
    """Findings `identical`, `leak` and `conflict` on groups of identical files. probabilities: float32 (N, classes)
    by row, where a network has been asked."""
    listing = scan.listing
    conflicts = [group for group in groups if len(set(listing.label[group])) > 1]
    belief = _belief(scan, conflicts, groups, probabilities)
    found = []
    for group in groups:
        same = f"{len(group)} files with the same pixels"
        found.append(_finding(scan, "identical", group, same, TWICE if listing.splits else UNSPLIT))
        splits = list(dict.fromkeys(listing.split_of(row) for row in group))
        if len(splits) > 1:
            found.append(_finding(scan, "leak", group, f"{same} in {_listed(splits)}", LEAK))
    for group, shares in zip(conflicts, belief):
        found.append(_conflict(scan, group, shares))
    return found


def _finding(scan, kind, group, reason, action, **details):
    return Finding(kind, tuple(scan.listing.files[row] for row in group), reason, action, details)


def _conflict(scan, group, shares):
    "The finding on one picture in several classes; shares: how much each class is believed, (classes,)."
    listing = scan.listing
    classes = list(dict.fromkeys(listing.class_of(row) for row in group))
    believed = int(max(set(listing.label[group].tolist()), key=lambda label: (shares[label], -label)))
    order = sorted(group, key=lambda row: (shares[listing.label[row]], row))
    certain = shares[believed] > max(shares[label] for label in set(listing.label[group].tolist()) if label != believed)
    suggested = listing.classes[believed] if certain else ""
    told = f"{suggested!r} looks right" if certain else "which is right, cannot be told"
    reason = f"{len(group)} files with the same pixels in the classes {_listed(classes)}; {told}"
    return _finding(scan, "conflict", order, reason, CONFLICT, suggested=printable(suggested))


def _belief(scan, conflicts, groups, probabilities):
    """How much each class is believed for each conflict, (conflicts, classes): the group's own majority, and to break a
    tie the network's probability or else the likeness to other pictures; doubles have no say in it."""
    labels, classes = scan.listing.label, len(scan.listing.classes)
    if not conflicts:
        return []
    counts = np.array([np.bincount(labels[group], minlength=classes) for group in conflicts], dtype=np.float64)
    if probabilities is not None:
        return counts + 0.99 * np.array([np.mean(probabilities[group], axis=0) for group in conflicts])
    others = np.setdiff1d(scan.readable, np.concatenate(groups))
    if not len(others):
        return counts
    likeness = beliefs(scan.thumbs.read, others, labels[others], classes, [group[0] for group in conflicts])
    return counts + 0.99 * np.clip(likeness, 0, 1)


def _listed(names):
    return " and ".join(map(repr, names)) if len(names) < 3 else ", ".join(map(repr, names))


def near_groups(scan, groups, progress=None):
    """Groups of files whose pictures are nearly the same, identical ones among them: (rows, greatest difference) each.
    groups: the identical ones."""
    readable = scan.readable
    doubles = {row for group in groups for row in group[1:]}
    single = np.array([row for row in readable if row not in doubles], dtype=np.int64)
    pairs = near_pairs(len(single), lambda rows: scan.thumbs.read(single[rows]), progress)
    copies = {group[0]: group for group in groups}
    found = joined(pairs, len(single))
    return [(np.sort(np.concatenate([copies.get(row, [row]) for row in single[group]])), float(greatest))
            for group, greatest in zip(found, _greatest(pairs, found, len(single)))]


def _greatest(pairs, groups, count):
    "The greatest difference of a pair in each group."
    number, greatest = np.zeros(count, np.int64), np.full(len(groups), -np.inf)
    number[np.concatenate([*groups, np.zeros(0, np.int64)])] = np.repeat(np.arange(len(groups)), list(map(len, groups)))
    np.maximum.at(greatest, number[pairs.first], pairs.difference)
    return greatest


def near_findings(scan, groups):
    "Findings `near-identical` on what `near_groups` found."
    listing = scan.listing
    for rows, difference in groups:
        across = [f"{what} {_listed(names)}" for what, naming in (("splits", listing.split_of),
                                                                 ("classes", listing.class_of))
                  if len(names := list(dict.fromkeys(map(naming, rows)))) > 1]
        where = f", across the {' and the '.join(across)}" if across else ""
        reason = (f"{len(rows)} files show nearly the same picture{where}: laid over one another they correlate "
                  f"{1 - difference:.4f} or better")
        yield _finding(scan, "near-identical", rows, reason, NEARLY, difference=round(difference, 5))
