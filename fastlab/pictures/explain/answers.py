"""Does the answer stay? Under shifts, with and without pooling; under rotation, scale and noise."""
from itertools import pairwise
from math import isfinite

from fastlab.errors import TrainingError
from fastlab.inside.invariance import AMOUNTS, invariance, map_changes
from fastlab.inside.unpooled import POOLS
from fastlab.inside.uses import used_steps
from fastlab.pictures import invariance as curves
from fastlab.pictures.explain.section import Picture, Section, Table, diverged, percent, records, times

WORK = 700e9       # multiplications for all kinds of change together
PASSES = sum(map(len, AMOUNTS.values())) + len(AMOUNTS["shift"])
KINDS = ("rotation", "scale", "noise")
AXES = {"rotation": "degrees", "scale": "factor", "noise": "share of the span"}
TOLD = {"rotation": (20, "Turned by 20° the answer stays in {} of images"), "scale": (0.8, "scaled by 0.8 in {}"),
        "noise": (0.2, "with noise of a fifth of the span in {}")}


def shift(subject):
    "Shifts of −6 to 6 pixels: this network, and twins with and without pooling; and the maps, step by step."
    images, labels, options = subject.first(WORK, PASSES, most=240)
    curve = {"this network": invariance(subject.net, images, labels, "shift", seed=subject.seed, **options)}
    pools = [step.name for step in used_steps(subject.net, subject.channels, subject.size)
             if isinstance(step.module, POOLS)]
    notes = twins_beside(subject, curve, images, labels, options) if pools else (
        "This network has no pooling part, so there is nothing to take out.",)
    own = curve["this network"].set_index("amount")
    says = [f"Moved by 1 pixel, {percent(own.unchanged[[-1, 1]].mean())} of the answers stay, by 3 pixels "
            f"{percent(own.unchanged[[-3, 3]].mean())}, by 6 pixels {percent(own.unchanged[[-6, 6]].mean())} (n = "
            f"{own.n.iloc[0]:,} "
            f"answers to {times(len(images), 'image')}, moved along both axes)."]
    changes = map_changes(subject.net, images[:128], **{**options, "chunk": max(1, options["chunk"] // 4)})
    says += [sentence for sentence in (twin_sentence(subject, curve), pool_sentence(changes, pools)) if sentence]
    amounts, n = list(own.index), int(own.n.iloc[0])
    pictures = (
        Picture("shift", "Share of answers that stay under each shift, for each network",
                lambda: curves.answers(amounts, {name: list(rows.unchanged) for name, rows in curve.items()}, n)),
        Picture("steps", "How much each step's maps change when the image moves by one pixel",
                lambda: curves.steps(list(changes.change), list(changes.name), int(changes.n.iloc[0]), pools)))
    head = ("shift (pixels)", *(f"{name}: same answer" for name in curve), "this network: accuracy")
    table = Table.of(head, [(f"{amount:+d}".replace("-", "−") if amount else "0",
                             *(percent(float(rows.unchanged.iloc[k])) for rows in curve.values()),
                             percent(float(own.accuracy.iloc[k]))) for k, amount in enumerate(amounts)])
    return Section("shift", "The answer when the image moves", tuple(says), pictures, (table,),
                   {"n": n, "answers": {name: records(rows) for name, rows in curve.items()},
                    "steps": records(changes)},
                   notes)


def twins_beside(subject, curve, images, labels, options):
    "Adds the twins' curves and says how they were made, or why they were not."
    if subject.plan is None:
        return ("With and without pooling are not held against each other here: that takes two trainings, which for "
                "this network are a study's work (a user's own network, or too many multiplications).",)
    try:
        twins = {"with pooling, twin": subject.twin, "without pooling, twin": subject.twin_without_pooling}
    except TrainingError as error:
        return (f"With and without pooling are not held against each other: {diverged(error)}",)
    for name, twin in twins.items():
        curve[name] = invariance(twin.net, images, labels, "shift", seed=subject.seed, **{**options, **twin.scale})
    return (f"Twins: this Recipe trained anew on {subject.plan.text}, without augmentation, once with its pooling and "
            f"once with every pooling taking the middle value of its window in its place; accuracy on "
            f"{subject.twin.n:,} develop images {percent(subject.twin.accuracy)} and "
            f"{percent(subject.twin_without_pooling.accuracy)}. One seed each.",)


def twin_sentence(subject, curve):
    "Pooling's own share, where twins were trained."
    if len(curve) == 1:
        return ""
    with_pools, without = (rows.set_index("amount").unchanged[[-2, 2]].mean() for rows in list(curve.values())[1:])
    return (f"Trained alike, briefly, the answer to a shift of 2 pixels stays in {percent(with_pools)} with pooling "
            f"and in {percent(without)} without (n = {2 * int(curve['this network'].n.iloc[0]):,}).")


def pool_sentence(changes, pools):
    "What the first pooling does to the change of the maps."
    rows = list(changes.itertuples(index=False))
    for before, after in pairwise(rows):
        if after.name in pools and isfinite(before.change) and isfinite(after.change):
            return (f"At 1 pixel the maps of {before.name} change by {before.change:.2f}, those after {after.name} by "
                    f"{after.change:.2f} (1: as unlike as two images; n = {times(after.n, 'image')}).")
    return ""


def others(subject):
    "Rotation, scale and noise."
    images, labels, options = subject.first(WORK, PASSES, most=240)
    found = {kind: invariance(subject.net, images, labels, kind, seed=subject.seed, **options) for kind in KINDS}
    n = len(images)
    told = [words.format(percent(float(found[kind].set_index("amount").unchanged[amount])))
            for kind, (amount, words) in TOLD.items()]
    edges = [f"{kind} {held(rows)}" for kind, rows in found.items()]
    says = (f"{', '.join(told)} (n = {times(n, 'image')}).",
            f"Nine answers in ten stay within these amounts: {'; '.join(edges)}.")
    drawn = Picture("changes", "Share of answers that stay under rotation, scale and noise", lambda: curves.panels(
        {kind: (list(rows.amount), list(rows.unchanged)) for kind, rows in found.items()}, n))
    tables = tuple(Table.of((AXES[kind], "same answer", "accuracy", "distance of the probabilities"), [
        (f"{row.amount:g}".replace("-", "−"), percent(row.unchanged), percent(row.accuracy), f"{row.distance:.3f}")
        for row in rows.itertuples(index=False)]) for kind, rows in found.items())
    return Section("changes", "The answer under rotation, scale and noise", says, (drawn,), tables,
                   {"n": n, **{kind: records(rows) for kind, rows in found.items()}},
                   ("Distance: half the sum of the absolute differences between the probabilities before and after, "
                    "0 the same, 1 another class for sure.",))


def held(rows):
    "The span of amounts, out from no change, in which at least 90 % of the answers stay."
    amounts, good = rows.amount.to_numpy(), rows.unchanged.to_numpy() >= 0.9
    still = int((amounts == (1.0 if rows.kind.iloc[0] == "scale" else 0.0)).argmax())
    low = high = still
    while low > 0 and good[low - 1]:
        low -= 1
    while high < len(amounts) - 1 and good[high + 1]:
        high += 1
    return f"{amounts[low]:g} to {amounts[high]:g}".replace("-", "−")
