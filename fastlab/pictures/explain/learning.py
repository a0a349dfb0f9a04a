"""What the layers are while the network learns: sizes of weights, exact zeros, dead units, spread of activations."""
from fastlab.errors import TrainingError
from fastlab.pictures import layers
from fastlab.pictures.explain.section import Picture, Section, Table, diverged, percent, plain, slug, times

TITLE = "While it learns"
IN_A_NOTEBOOK = "In a notebook: watch = OverTime(); learn.fit(5, cbs=watch), from fastlab.inside.overtime."
MOST = 6                # layers that one picture tells apart
SEEN = 1e-3             # share of zeros from which a line leaves the axis


def over_time(subject):
    "Weights and activations over time, of a twin."
    if subject.plan is None:
        return Section("learning", TITLE, left_out="it takes a training that is watched, which for this network is a "
                                                   f"study's work. {IN_A_NOTEBOOK}")
    try:
        _, watch = subject.watched
    except TrainingError as error:
        return Section("learning", TITLE, left_out=f"{diverged(error)} {IN_A_NOTEBOOK}")
    weighted, active = list(watch.norms), list(watch.dead)
    says = [weights_sentence(watch)]
    if active:
        dead = {name: shares[-1] for name, shares in watch.dead.items()}
        worst = max(dead, key=dead.get)
        says.append((f"At the end {percent(dead[worst])} of the units of {worst} are dead, that is, give the same "
                     "to every image; no activation has more" if dead[worst] else "At the end no unit is dead, that "
                     "is, each of them answers some images otherwise than others")
                    + f" (n = {times(watch.n, 'develop image')}).")
    table = Table.of(("layer", "norm of its weights before", "after", "exact zeros after"),
                     [(name, watch.norms[name][0], watch.norms[name][-1], percent(watch.zeros[name][-1], 3))
                      for name in weighted])
    tables = (table,) if not active else (table, Table.of(
        ("activation", f"dead units before (n = {watch.n})", "after"),
        [(name, percent(watch.dead[name][0]), percent(watch.dead[name][-1])) for name in active]))
    return Section("learning", TITLE, tuple(says), tuple(pictures(watch)), tables,
                   {"n": watch.n, "steps": plain(watch.marks), "norms": plain(watch.norms),
                    "zeros": plain(watch.zeros), "dead": plain(watch.dead)},
                   (f"Twin: this Recipe trained anew on {subject.plan.text}, without augmentation, looked at "
                    f"{len(watch.marks)} times. {IN_A_NOTEBOOK}",))


def weights_sentence(watch):
    "Which layer's weights move most, and how many weights end at exactly 0."
    growth = {name: norms[-1] / norms[0] for name, norms in watch.norms.items() if norms[0]}
    zeros = {name: shares[-1] for name, shares in watch.zeros.items()}
    emptiest = max(zeros, key=zeros.get)
    told = f"In {times(watch.marks[-1], 'step')} "
    if growth:
        least, most = min(growth, key=growth.get), max(growth, key=growth.get)
        told += (f"the norm of the weights of {most} becomes {growth[most]:.2f} times"
                 + (f", that of {least} {growth[least]:.2f} times" if least != most else "")
                 + " what it was; ")
    if not zeros[emptiest]:
        return told + "no weight is exactly 0 in the end."
    share = percent(zeros[emptiest], 1 if zeros[emptiest] >= SEEN else 3)
    return told + f"{share} of the weights of {emptiest} are exactly 0 in the end, of no layer more."


def pictures(watch):
    "What is worth a picture: lines that all lie at 0 are told in words."
    told = {"unit": "steps", "times": watch.marks}
    some = {name: watch.norms[name] for name in chosen(list(watch.norms))}
    yield Picture("weights", "Norm of each layer's weights while the network learns",
                  lambda: layers.sizes(some, log=True, **told))
    if max(map(max, watch.zeros.values())) >= SEEN:
        empty = {name: watch.zeros[name] for name in some}
        yield Picture("zeros", "Share of each layer's weights that are exactly 0 while the network learns",
                      lambda: layers.zeros(empty, **told))
    if any(map(any, watch.dead.values())):
        dead = {name: watch.dead[name] for name in chosen(list(watch.dead))}
        yield Picture("dead", "Share of dead units of each activation while the network learns",
                      lambda: layers.dead(dead, n=watch.n, title="Dead units: the same answer to every image", **told))
    for name in dict.fromkeys(list(watch.dead)[place] for place in (0, -1) if watch.dead):
        yield Picture(f"activations-{slug(name)}",
                      f"How the activations of {name} are spread while the network learns",
                      lambda name=name: layers.histogram(*watch.spread(name), quantity=f"activation of {name}",
                                                         n=watch.n, **told))


def chosen(names, most=MOST):
    "At most `most` of the names, evenly, with the first and the last."
    if len(names) <= most:
        return names
    return [names[round(place * (len(names) - 1) / (most - 1))] for place in range(most)]
