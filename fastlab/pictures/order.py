"""An order of the classes in which those that are confused stand together, so that confusions cluster in a matrix."""
import numpy as np


def likeness(counts):
    "How strongly classes are confused, both ways, as shares of what they hold: symmetric (C, C), zero diagonal."
    counts = np.asarray(counts, float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    both = shares + shares.T
    np.fill_diagonal(both, 0)
    return both


def spread(like, order):
    "What a good order keeps small: confusions weighted by how far apart the two classes stand."
    place = np.argsort(order)
    return float((like * np.abs(place[:, None] - place[None, :])).sum() / 2)


def cluster(counts):
    """An order (C,) of the classes for a confusion matrix `counts` (C, C): the most confused pairs are joined first,
    each chain of classes turned so that the joined ends are alike; chains keep the order of their first classes.
    The given order is kept where it is as good: an order that people know is worth more than a rearrangement."""
    like = likeness(counts)
    chains = {k: [k] for k in range(len(like))}
    rows, columns = np.triu_indices(len(like), 1)
    for pair in np.argsort(-like[rows, columns], kind="stable"):
        a, b = rows[pair], columns[pair]
        if like[a, b] == 0:
            break
        if chains[a] is not chains[b]:
            joined = _join(like, chains[a], chains[b], a, b)
            chains.update(dict.fromkeys(joined, joined))
    distinct = {id(chain): chain for chain in chains.values()}.values()
    order = np.array([k for chain in sorted(distinct, key=min) for k in _upright(chain)])
    given = np.arange(len(like))
    return order if spread(like, order) < spread(like, given) - 1e-12 else given


def _upright(chain):
    "A chain read from the end that holds the smaller class."
    return chain if chain[0] < chain[-1] else chain[::-1]


def _join(like, left, right, a, b):
    "The two chains as one, in that of the four ways to lay them end to end which brings confused classes nearest."
    ways = [x + y for x in (left, left[::-1]) for y in (right, right[::-1])]
    return min(ways, key=lambda way: (_reach(like, way), abs(way.index(a) - way.index(b))))


def _reach(like, way):
    "`spread` within one chain."
    part = like[np.ix_(way, way)]
    steps = np.arange(len(way))
    return round(float((part * np.abs(steps[:, None] - steps[None, :])).sum()), 9)
