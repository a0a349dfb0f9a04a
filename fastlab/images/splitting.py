"""Rows shared out among splits: by class, from a seed, and with groups (a writer, an object) kept whole."""
import re
from pathlib import Path

import numpy as np

from fastlab.errors import OptionError
from fastlab.seeds import numpy_generator


def group_keys(files, root, group_by):
    "Each file's group under the regular expression `group_by` (matched on the path below `root`), or None."
    if group_by is None:
        return None
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise OptionError(f"--group-by {group_by!r}: not a regular expression ({error}).") from error
    found = [pattern.search(Path(file).relative_to(root).as_posix()) for file in files]
    keys = [match and match.group(1 if pattern.groups else 0) for match in found]
    missing = [file for file, key in zip(files, keys) if key is None]
    if missing:
        raise OptionError(f"--group-by {group_by!r}: no match in {len(missing)} file names, such as {missing[0]}. "
                          "The expression must match every file.")
    return keys


def torn_group(keys, splits):
    "(group, one split, another split) of a group that lies in two splits, or None. keys: a group a row."
    home = {}
    for split, rows in splits.items():
        for row in rows:
            if home.setdefault(keys[row], split) != split:
                return keys[row], home[keys[row]], split
    return None


def split_rows(labels, shares, seed, groups=None):
    """Rows shared out by class with the given `shares` ({name: fraction}), seeded: {name: sorted rows}. Every class
    gets at least one row in each part where it has as many. With `groups`, whole groups are dealt out, largest first,
    each to the part that lacks most of the group's classes."""
    labels = np.asarray(labels)
    if groups is None:
        return _split_each_class(labels, shares, seed)
    keys, group = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.zeros((len(keys), labels.max() + 1))
    np.add.at(counts, (group, labels), 1)
    part = _dealt(counts, np.array(list(shares.values())), numpy_generator(seed, "split"))
    return {name: np.flatnonzero(part[group] == number) for number, name in enumerate(shares)}


def _dealt(counts, shares, rng):
    "The part, int (G,), that each group goes to. counts: (G, classes) images of each group; shares: of each part."
    lacking = shares[:, None] * counts.sum(0)  # images of each class that each part still lacks
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(1), kind="stable")]
    part = np.zeros(len(counts), dtype=int)
    for group in order:
        has = counts[group] > 0
        lack = lacking[:, has] / np.maximum(lacking[:, has].sum(0), 1e-9)
        part[group] = np.argmax(lack.sum(1) / shares)
        lacking[part[group]] = np.maximum(lacking[part[group]] - counts[group], 0)
    return part


def _split_each_class(labels, shares, seed):
    fractions = np.array(list(shares.values()))
    parts = {name: [] for name in shares}
    for label in range(int(labels.max()) + 1):
        rows = np.flatnonzero(labels == label)
        rows = rows[numpy_generator(seed, "split", label).permutation(len(rows))]
        ends = np.rint(np.cumsum(fractions) / fractions.sum() * len(rows)).astype(int)
        if len(rows) >= len(shares):
            ends = np.maximum(ends, np.arange(1, len(shares) + 1))
            ends = np.minimum(ends, len(rows) - np.arange(len(shares) - 1, -1, -1))
        for name, chosen in zip(shares, np.split(rows, ends[:-1])):
            parts[name].append(chosen)
    return {name: np.sort(np.concatenate(chosen)) for name, chosen in parts.items()}
