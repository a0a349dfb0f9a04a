"""What the tricks of their time do: LRN, BatchNorm, dropout."""
import numpy as np

from fastlab.errors import TrainingError
from fastlab.inside.batchnorm import layer_signals
from fastlab.inside.dropout import DROPOUTS, prediction_spread, share_after, update_sizes
from fastlab.inside.normalising import PLACES, lrn_contrast
from fastlab.pictures import dropout as spreads
from fastlab.pictures import normalising
from fastlab.pictures.explain.section import Picture, Section, Table, diverged, percent, plain, records, small, times
from fastlab.training.learner import build_net
from fastlab.training.optimizers import SGD, Adam, AdamW

WORK = 150e9
VALUES = 4_000_000     # of the largest map, over all images: more would move no digit that is told
DRAWS = 20
STEPS = 10
LEAST_STEPS = 3
NORMS = {"batch": "with BatchNorm", "none": "without"}
FORMS = {"own": "as here", "paper": "paper's constants", "torch": "PyTorch's constants"}


def lrn(subject):
    "LRN: contrast between neighbouring channels before and after, in the paper's and in PyTorch's constants."
    title = "Local response normalisation"
    largest = max(int(np.prod(row["shape"])) for row in subject.layers[0])
    images, _, options = subject.first(WORK, least=16, most=int(np.clip(VALUES // largest, 16, 64)))
    table = lrn_contrast(subject.net, images, **options)
    if table.empty:
        return Section("lrn", title, left_out="this network has neither LRN nor a ReLU with maps, after which it "
                                              "could stand.")
    own, n = "own" in set(table.form), int(table.n.iloc[0])
    table = table[np.isfinite(table.before)]
    if table.empty:
        return Section("lrn", title, left_out="wherever it stands or could stand, there is a single channel, or all "
                                              f"channels are 0 (n = {times(n, 'image')}): no neighbours compete.")
    means = table.groupby("form")[["unlike", "competition", "damping"]].mean()
    changed = table.assign(change=table.after - table.before).groupby("form").change.mean()
    where = "its LRN layers" if own else "the places after its ReLUs, where LRN would stand (it has none)"
    says = (f"At {where}, the paper's constants (k = 2, n = 5, α = 1e-4 on the sum) scale the maps down by "
            f"{percent(means.damping['paper'])} (2^−0.75 alone by 40.5 %) and change their pattern by "
            f"{percent(means.unlike['paper'], 3)}; contrast between "
            f"neighbouring channels moves by {moved(changed['paper'])} (n = {times(n, 'image')}).",
            f"PyTorch's (k = 1, α over n) scale by {percent(means.damping['torch'], 3)} and change the pattern by "
            f"{percent(means.unlike['torch'], 4)}: at either, neighbours hardly compete unless activations are large.")
    labels = [f"{row.name}, {FORMS[row.form]}" for row in table.itertuples(index=False)]
    effects = {word: np.maximum(table[what].abs().to_numpy(), 1e-9) for what, word in
               (("damping", "scaled down by"), ("unlike", "pattern changed by"), ("competition", "competition"))}
    pictures = (
        Picture("contrast", "Contrast between neighbouring channels before and after LRN",
                lambda: normalising.contrast(list(table.before), list(table.after), labels, n)),
        Picture("lrn", "How far LRN scales the maps, changes their pattern and makes units compete",
                lambda: normalising.lrn(effects, labels, n)))
    rows = [(row.name, FORMS[row.form], row.size, f"{row.before:.4f}", f"{row.after:.4f}", percent(row.damping, 3),
             percent(row.unlike, 4), percent(row.competition, 3)) for row in table.itertuples(index=False)]
    return Section("lrn", title, says, pictures, (Table.of(
        ("place", "constants", "n channels", "contrast before", "after", "scaled down by", "pattern changed by",
         "competition"), rows),), {"n": n, "own": own, "rows": records(table)},
        ("Contrast: |a − b| / (|a| + |b|) of channels at most two apart, 0 alike, 1 one alone. Competition: how much "
         "more a unit is damped among the loudest tenth of neighbours than among the quietest. Of many places "
         f"{PLACES} are looked at, evenly spaced.",))


def moved(change):
    "A change of contrast in four decimals, and never as a power of ten."
    return "less than 0.0001" if abs(change) < 1e-4 else f"{change:+.4f}".replace("-", "−")


def signals(subject):
    "BatchNorm: mean, variance and gradient norm by layer, with and without it."
    images, labels, _ = subject.first(WORK, passes=3, least=2, most=min(128, subject.budget.chunk))
    own = layer_signals(subject.net, images, labels, **subject.scale)
    beside, notes = networks_beside(subject)
    curves = {"this network": own, **{name: layer_signals(net, images, labels, **scale)
                                      for name, net, scale in beside}}
    n = len(images)
    says = [f"What the activations of this network get has a mean from {small(own['mean'].min())} to "
            f"{small(own['mean'].max())} "
            f"and a variance from {small(own.variance.min())} to {small(own.variance.max())}; the norm of a layer's "
            f"gradient goes from {small(own.gradient.min())} to {small(own.gradient.max())} (one batch of n = "
            f"{times(n, 'image')})."]
    if len(curves) == 3:
        says.append(compared([name for name in curves if name != "this network"], curves, n))
    names = list(own.name)
    aligned = {name: table.set_index("name").reindex(names) for name, table in curves.items()}
    column = {what: {name: table[what].to_numpy(float) for name, table in aligned.items()}
              for what in ("mean", "variance", "gradient")}
    drawn = Picture("batchnorm", "Mean, variance and gradient norm of each layer, with and without BatchNorm",
                    lambda: normalising.normalised(column["mean"], column["variance"], column["gradient"], names, n))
    head = ("layer", *(f"{name}: {what}" for name in curves for what in ("mean", "variance", "gradient")))
    rows = [(layer, *(float(values[name][k]) for name in curves for values in column.values()))
            for k, layer in enumerate(names)]
    return Section("batchnorm", "Batch normalisation", tuple(says), (drawn,), (Table.of(head, rows),),
                   {"n": n, "networks": {name: records(table) for name, table in curves.items()}}, notes)


def networks_beside(subject):
    """[(name, network, scale of its pixels)] with BatchNorm and without, and the notes on how they were made, or why
    there are none: twins, or where these cost too much, networks before any training."""
    if subject.other_norm is None:
        return [], ("With and without are not held against each other: BatchNorm is no switch of this network.",)
    recipes = {subject.model.recipe.norm or "none": subject.model.recipe, subject.other_norm.norm: subject.other_norm}
    if subject.plan is None:
        return [(f"{word}, untrained", build_net(recipes[norm], len(subject.names), subject.seed).eval(), subject.scale)
                for norm, word in NORMS.items()], (
            "Beside it stand the same network with and without BatchNorm before any training, from the same initial "
            "weights: trainings of it are a study's work (fastlab study).",)
    try:
        twins = {norm: subject.twin_of_other_norm if recipes[norm] is subject.other_norm else subject.twin
                 for norm in NORMS}
    except TrainingError as error:
        return [], (f"With and without are not held against each other: {diverged(error)}",)
    return [(f"{word}, twin", twins[norm].net, twins[norm].scale) for norm, word in NORMS.items()], (
        f"Twins: this Recipe trained anew on {subject.plan.text}, with BatchNorm and without; accuracy on "
        f"{subject.twin.n:,} develop images {' and '.join(percent(twin.accuracy) for twin in twins.values())}. One "
        "seed each.",)


def compared(names, curves, n):
    "What BatchNorm does to the spans of variance and gradient."
    variances, gradients = (" and ".join(f"{wide(curves[name][what])} times ({name})" for name in names)
                            for what in ("variance", "gradient"))
    return (f"The greatest variance of a layer is {variances} the least, the greatest gradient norm {gradients} "
            f"(n = {times(n, 'image')}).")


def wide(values):
    "How many times the least of some values the greatest is, in words."
    least, greatest = values.min(), values.max()
    if not greatest > 0:
        return "–"
    return small(greatest / least) if greatest <= 1e6 * least else "over a million"


def dropped(subject):
    "Dropout: how answers spread with it left on, and how large updates are with and without it."
    title = "Dropout"
    if not any(isinstance(module, DROPOUTS) for module in subject.net.modules()):
        return Section("dropout", title, left_out="this network has no dropout to leave on.")
    passes = 1 + DRAWS * share_after(subject.net, subject.channels, subject.size)
    images, _, options = subject.first(WORK / 2, passes, most=512)
    found = prediction_spread(subject.net, images, DRAWS, subject.seed, **options)
    updates = updates_of(subject)
    answer = found.still.argmax(1)
    rows = np.arange(len(answer))
    still, mean, deviation = (part[rows, answer] for part in (found.still, found.mean, found.deviation))
    by = updates.groupby("dropout")[["loss", "scores", "gradient", "update_size"]].mean()
    steps, batch = int(updates.step.max()) + 1, int(updates.attrs["batch"])
    says = (f"Left on in testing, dropout changes the class in {percent(float(found.changed.mean()))} of all answers "
            f"and spreads the answer's probability by {small(100 * float(deviation.mean()))} points on average (n = "
            f"{times(len(images), 'image')},"
            f" {DRAWS} passes each).",
            f"On the same {times(steps, 'batch').replace('batchs', 'batches')} of {batch} from the same weights, "
            f"updates are {ratio(by.update_size)} times as large with dropout as without, gradients "
            f"{ratio(by.gradient)} and scores {ratio(by.scores)} times.")
    pictures = (
        Picture("dropout", "Probability of the answer with dropout left on, image by image",
                lambda: spreads.spread(still, mean, deviation, found.changed, DRAWS)),
        Picture("updates", "Size of each update with dropout on and off",
                lambda: spreads.updates({f"dropout {word}": updates[updates.dropout == word].update_size.to_numpy()
                                         for word in ("on", "off")})))
    table = Table.of((f"mean of n = {steps} steps", "loss", "mean |score|", "gradient's norm", "update's norm"),
                     [(f"dropout {word}", *map(float, by.loc[word])) for word in ("on", "off")])
    return Section("dropout", title, says, pictures, (table,),
                   {"n": len(images), "draws": DRAWS, "changed": float(found.changed.mean()),
                    "deviation": float(deviation.mean()), "steps": steps, "batch": batch,
                    "updates": plain(by.to_dict("index"))},
                   (f"Updates: {subject.model.recipe.optimizer} at {rate_of(subject.model.recipe):g}, a fresh "
                    f"optimizer on images of the {subject.split} split; the network itself stays as it is.",))


def ratio(mean):
    "What it is with dropout over what it is without, where both are numbers."
    known = np.isfinite(mean).all() and mean["off"]
    return f"{mean['on'] / mean['off']:.2f}" if known else "–"


def rate_of(recipe):
    return recipe.lr or 1e-3


def updates_of(subject):
    "`update_sizes` with the Recipe's own optimizer; batches and steps as the network affords."
    recipe = subject.model.recipe
    make = {"sgd": lambda parameters: SGD(parameters, rate_of(recipe), recipe.momentum),
            "adam": lambda parameters: Adam(parameters, rate_of(recipe)),
            "adamw": lambda parameters: AdamW(parameters, rate_of(recipe), weight_decay=recipe.decay)}
    affordable = subject.budget.images(WORK, passes=6, least=8 * LEAST_STEPS, most=64 * STEPS)
    batch = min(64, len(subject.images), max(8, affordable // STEPS))
    steps = int(min(STEPS, max(LEAST_STEPS, affordable // batch)))
    images, labels = subject.images[:batch * steps], subject.truth[:batch * steps]
    found = update_sizes(subject.net, images, labels, make[recipe.optimizer], steps, batch, subject.seed,
                         **subject.scale)
    found.attrs["batch"] = batch
    return found
