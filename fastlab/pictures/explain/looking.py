"""What the network sees: kernels, maps of one image, the patches that units answer to, where it looks."""
import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate

from fastlab.inside.activations import activation_statistics, feature_maps
from fastlab.inside.attention import grad_cam, last_maps, occlusion
from fastlab.inside.overtime import ACTIVATIONS
from fastlab.inside.patches import best_patches, cut, field_of
from fastlab.inside.uses import used_steps
from fastlab.pictures import heat, kernels, maps
from fastlab.pictures import patches as units
from fastlab.pictures.explain.section import Picture, Section, Table, percent, plain, records, slug, small, span, times
from fastlab.pictures.results import chance

PASSED_OVER = (nn.Dropout, nn.Flatten, nn.Identity)     # steps that leave the maps as they are, in testing
STRIPS = 14             # steps whose maps are drawn
WORK = 150e9
UNITS = 32              # units of a layer that are drawn
PIXELS = 56             # a drawn patch's side, at most: a larger one is brought to it
LOOKED = 4              # images that attention is shown on


def first_kernels(subject):
    "The kernels of the first convolution."
    named = {name: part for name, part in subject.net.named_modules() if isinstance(part, nn.Conv2d)}
    name, first = next(iter(named.items()), (None, None))
    title = "Kernels of the first layer"
    if first is None or first.weight.shape[1] not in (1, 3):
        return Section("kernels", title, left_out="this network has no first convolution over one or three channels.")
    weights = first.weight.detach().float().cpu().numpy()
    norms, means = np.sqrt((weights ** 2).sum((1, 2, 3))), weights.mean((1, 2, 3))
    sizes = np.abs(weights).sum((1, 2, 3))
    balance = np.divide(np.abs(weights.sum((1, 2, 3))), sizes, out=np.full_like(sizes, np.nan), where=sizes > 0)
    count, _, height, width = weights.shape
    says = (f"{name} has {times(count, 'kernel')} of {height}×{width}; their norms go from {small(norms.min())} to "
            f"{small(norms.max())}.",
            f"{int((balance < 0.25).sum())} of the {count} are nearly balanced (|sum| below a quarter of the sum of "
            f"|weights|): they answer to edges and lines, and hardly to even grey.")
    drawn = Picture("kernels", "The kernels of the first layer, red above zero and blue below, or in colour",
                    lambda: kernels.first_layer(weights))
    some = int((sizes > 0).sum())
    ratio = "|sum| / sum of |weights|" + (f", of the n = {some} that are not all 0" if some < count else "")
    table = Table.of((f"of n = {count} kernels", "least", "median", "greatest"),
                     [("norm", *span(norms)), ("mean weight", *span(means)), (ratio, *span(balance))])
    return Section("kernels", title, says, (drawn,), (table,),
                   {"layer": name, "norms": plain(norms.tolist()), "balance": plain(balance.tolist())})


def told_steps(net, channels, size, most=STRIPS):
    "Names of the steps whose maps are worth a strip: those that change something; of many, the layers and poolings."
    passed = [step for step in used_steps(net, channels, size)
              if not isinstance(step.module, PASSED_OVER) and len(step.shape) in (1, 3)]
    if len(passed) > most:
        kept = [step for step in passed if isinstance(step.module, nn.Conv2d | nn.Linear | nn.MaxPool2d | nn.AvgPool2d)]
        passed = [kept[int(k)] for k in np.unique(np.linspace(0, len(kept) - 1, most).round())]
    return [step.name for step in passed]


def through(subject):
    "The maps of one image through all layers."
    names = told_steps(subject.net, subject.channels, subject.size)
    image = subject.images[0]
    found = feature_maps(subject.net, image, names, most_maps=32, **subject.scale)
    found = {name: found[name] for name in names if name in found}
    images, _, options = subject.first(WORK, passes=2, most=512)
    table = activation_statistics(subject.net, images, **options)
    table = table[table.name.isin(names)]
    relus = table[table.kind.isin(("ReLU", "ReLU6"))]
    says = [f"One image of class {subject.names[subject.truth[0]]}, read as {subject.names[subject.predicted[0]]} "
            f"(probability {chance(subject.probabilities[0].max())}), in the maps of {times(len(found), 'step')}."]
    if len(relus):
        sparse = relus.loc[relus.zeros.idxmax()]
        says.append(f"After {sparse['name']} {percent(float(sparse.zeros))} of all values are exactly 0; "
                    f"{percent(float(relus.dead.max()))} of the units of a ReLU, at most, never fire (n = "
                    f"{times(len(images), 'image')}).")
    bound = (f"Memory: the maps of one image take {subject.budget.map_bytes / 1e6:,.1f} MB, and images go through "
             f"{subject.budget.chunk} at a time, so that all maps in hand take at most "
             f"{subject.budget.chunk * subject.budget.map_bytes / 1e6:,.0f} MB.",)
    drawn = Picture("maps", "The maps of one image, a strip for every step",
                    lambda: maps.through(image, found, subject.labels))
    rows = [(row.name, row.mean, row.variance, percent(row.zeros), percent(row.dead))
            for row in table.itertuples(index=False)]
    return Section("maps", "One image through all layers", tuple(says), (drawn,), (Table.of(
        ("step", "mean", "variance", "exact zeros", "the same everywhere"), rows),),
        {"n": len(images), "map_bytes": subject.budget.map_bytes, "at_once": subject.budget.chunk,
         "steps": records(table.drop(columns="shape"))}, bound)


def answering(net, channels, size):
    "Names of up to three steps with maps, first, middle and last, whose units' best patches are shown: activations."
    placed = [step for step in used_steps(net, channels, size) if len(step.shape) == 3 and step.shape[1] > 1]
    active = [step for step in placed if isinstance(step.module, ACTIVATIONS)] or \
        [step for step in placed if isinstance(step.module, nn.Conv2d)]
    names = [step.name for step in active]
    return [names[k] for k in dict.fromkeys((0, len(names) // 2, len(names) - 1))] if names else []


def best(subject):
    "The patches that each unit answers to most."
    names = answering(subject.net, subject.channels, subject.size)
    if not names:
        return Section("patches", "What each unit answers to most", left_out="this network has no step with maps.")
    images, labels, options = subject.first(WORK, passes=3, least=48, most=1024)
    pictures, rows, told = [], [], []
    for name in names:
        found = best_patches(subject.net, images, name, count=9 if subject.size <= 64 else 6, **options)
        field = field_of(subject.net, images.transpose(0, 3, 1, 2), name)
        pure = purity(labels[found.images])
        firing = found.values[:, 0] > 0
        rows.append((name, len(found.values), f"{field.size[0]}×{field.size[1]}", percent(float(firing.mean())),
                     float(found.values.max()), percent(float(pure[firing].mean()) if firing.any() else float("nan"))))
        told.append({"name": name, "units": len(found.values), "firing": float(firing.mean()),
                     "purity": float(pure[firing].mean()) if firing.any() else None, "n": len(images)})
        pictures.append(picture_of(name, found, images))
    count = found.values.shape[1]
    chance = np.mean(purity(labels[np.random.default_rng(subject.seed).integers(0, len(labels), (2000, count))]))
    says = (f"Every row holds the {count} patches, each from another image, that one unit answers to most, cut at its "
            f"receptive field (n = {times(len(images), 'image')} looked through).",
            f"Of the {count} images that excite a unit of {names[0]} most, {rows[0][-1]} are of one class, of "
            f"{names[-1]} {rows[-1][-1]}; at random it would be {percent(float(chance))}.")
    table = Table.of(("step", "units", "patch (pixels)", "ever above 0", "greatest answer",
                      "best patches of one class"), rows)
    return Section("patches", "What each unit answers to most", says, tuple(pictures), (table,),
                   {"n": len(images), "steps": plain(told), "chance": plain(chance)})


def purity(labels):
    "The share (U,) of labels (U, K) that are the row's most frequent."
    return np.array([np.bincount(row).max() / len(row) for row in labels])


def picture_of(name, found, images):
    "The Picture of one step's best patches."
    def draw():
        pieces = np.stack([shrunk(cut(found, images, unit)) for unit in range(min(UNITS, len(found.values)))])
        drawn = pieces[:, :, 0] if pieces.shape[2] == 1 else pieces.transpose(0, 1, 3, 4, 2)
        return units.best(drawn, name, found.n, most=UNITS, seen=seen_in(found, images.shape[1:3]))
    return Picture(f"patches-{slug(name)}", f"The patches that each unit of {name} answers to most", draw)


def seen_in(found, image):
    "What a patch shows, in words: its receptive field, or the whole image where the field is as large as that."
    height, width = found.boxes[0, 0, 2:] - found.boxes[0, 0, :2]
    return "the whole image" if height >= image[0] or width >= image[1] else f"{height}×{width} pixels"


def shrunk(patches):
    "Patches (K, C, h, w), brought to at most PIXELS a side."
    if max(patches.shape[2:]) <= PIXELS:
        return patches
    return interpolate(torch.from_numpy(patches), (PIXELS, PIXELS), mode="area").numpy()


def attention(subject):
    "Grad-CAM and occlusion of some images: the first, those that are right and least sure, and the surest mistake."
    if not answering(subject.net, subject.channels, subject.size):
        return Section("attention", "Where it looks", left_out="this network has no step with maps.")
    layer = last_maps(subject.net, subject.channels, subject.size)
    chosen = worth_a_look(subject.truth, subject.probabilities)
    images = subject.images[chosen]
    window = max(3, subject.size // 4 if subject.size <= 64 else subject.size // 5)
    stride = max(1, window // 2 if subject.size > 64 else window // 4)
    cam = grad_cam(subject.net, images, layer=layer, chunk=subject.budget.chunk, **subject.scale)
    hidden = occlusion(subject.net, images, window=window, stride=stride, chunk=subject.budget.chunk, **subject.scale)
    return attention_section(subject, chosen, images, cam, hidden, layer, window, stride)


def worth_a_look(truth, probabilities, count=LOOKED):
    "Numbers of `count` images: the first, the surest mistake as the last, and between them the least sure right ones."
    sure, right = probabilities.max(1), probabilities.argmax(1) == truth
    unsure = np.flatnonzero(right)[np.argsort(sure[right], kind="stable")].tolist()
    wrong = np.flatnonzero(~right)[np.argsort(-sure[~right], kind="stable")].tolist()
    ordered = list(dict.fromkeys([0, *unsure, *wrong]))
    return list(dict.fromkeys([*ordered[:count - bool(wrong)], *wrong[:1], *ordered]))[:count]


def attention_section(subject, chosen, images, cam, hidden, layer, window, stride):
    "The Section of what was found."
    names, said = subject.names, subject.labels
    captions = [f"{said[subject.truth[k]]}" + ("" if subject.truth[k] == label else f" taken for {said[label]}")
                + f"  {chance(share)}" for k, label, share in zip(chosen, cam.classes, cam.probabilities)]
    alike = [agreement(one, other) for one, other in zip(cam.maps, hidden.maps)]
    falls = hidden.maps.reshape(len(images), -1).max(1)
    says = (f"Grad-CAM weighs the maps of {layer} by the gradient of the answer; occlusion hides a square of "
            f"{window}×{window} pixels, moved by {times(stride, 'pixel')} at a time, and sees how far the answer's "
            f"probability falls.",
            f"Where it matters most, that is by {', '.join(f'{100 * fall:.1f}' for fall in falls)} points (n = "
            f"{times(len(images), 'image')}); the two maps agree with a correlation of "
            f"{', '.join('–' if np.isnan(value) else f'{value:.2f}'.replace('-', '−') for value in alike)}.")
    drawn = Picture("attention", "Images, Grad-CAM and occlusion side by side", lambda: heat.attention(
        images, {"Grad-CAM": cam.maps, "occlusion": hidden.maps}, captions))
    rows = [(subject.file(k), names[subject.truth[k]], names[label], chance(share, 3), f"{100 * fall:.1f}",
             None if np.isnan(value) else float(value)) for k, label, share, fall, value
            in zip(chosen, cam.classes, cam.probabilities, falls, alike)]
    table = Table.of(("image", "true", "predicted", "probability", "greatest fall (points)",
                      "correlation of the maps"), rows)
    return Section("attention", "Where it looks", says, (drawn,), (table,),
                   {"n": len(images), "layer": layer, "window": window, "stride": stride,
                    "falls": plain(falls.tolist()), "correlations": plain(alike),
                    "files": [subject.file(k) for k in chosen]})


def agreement(one, other):
    "Pearson's correlation of two maps; nan where one is even."
    one, other = one.ravel() - one.mean(), other.ravel() - other.mean()
    size = np.sqrt((one ** 2).sum() * (other ** 2).sum())
    return float((one * other).sum() / size) if size > 0 else float("nan")
