"""Which runs a plan needs, each once, and in what order: seed by seed across all variants, so that every comparison has
paired results early."""
from dataclasses import dataclass, replace

from fastlab.errors import OptionError
from fastlab.study.keys import code_digest, data_digest, run_key
from fastlab.training.recipe import Recipe, crops_of

MEMBER_STEP = 1000              # the seeds of an ensemble's further members: seed + 1000, seed + 2000 …
WEIGHTS = {"lenet": 1.0, "lenet-classic": 0.8, "alexnet": 5.0, "alexnet2012": 150.0}  # work of an image, LeNet's is 1


@dataclass(frozen=True)
class Run:
    """One training to be done: a resolved Recipe, a seed, what is left of the data, the epochs at which predictions are
    kept. `label` tells people which; it is no part of the key."""
    key: str
    recipe: Recipe
    seed: int
    marks: tuple
    classes: int | None = None
    images_a_class: int | None = None
    label: str = ""
    images: int = 0

    @property
    def work(self):
        "A rough measure of its cost, for the order and before anything is timed: LeNet images."
        size = (self.recipe.crop or 28) / (227 if self.recipe.net == "alexnet2012" else 28)
        weight = WEIGHTS.get(self.recipe.net, 5.0) * size ** 2 * max(self.recipe.width, 0.1) ** 1.5
        return self.images * self.recipe.epochs * weight

    @property
    def group(self):
        "Runs of one group differ by their seed and epochs alone, so an epoch takes the same time."
        recipe = tuple(value for name, value in vars(self.recipe).items() if name != "epochs")
        return recipe, self.classes, self.images_a_class

    def told(self):
        "What the result's file says about itself."
        return {"label": self.label, "seed": self.seed, "recipe": self.recipe.to_dict(), "classes": self.classes,
                "images_a_class": self.images_a_class, "images": self.images}


@dataclass(frozen=True)
class Schedule:
    "`runs` in the order in which they are done; `keys`: (comparison, variant, seed) -> its runs' keys, one a member."
    runs: tuple
    keys: dict

    @property
    def by_key(self):
        return {run.key: run for run in self.runs}


def schedule(plan, seeds, data, runner):
    """The Schedule of a plan over `seeds` on a StudyData. Runs that several comparisons share are there once, with the
    most epochs and all marks that any of them needs."""
    code = {net: code_digest(runner.path, [net]) for net in _nets(plan)}
    runs, keys = {}, {}
    for seed in seeds:
        if not 0 <= seed < MEMBER_STEP:
            raise OptionError(f"seeds: {seed} is not between 0 and {MEMBER_STEP - 1}.")
        fresh = {}
        for comparison in plan.comparisons:
            marks = plan.marks_of(comparison)
            for variant in comparison.everyone:
                own = [_run(plan, comparison, variant, seed + MEMBER_STEP * member, marks[variant], data, runner, code)
                       for member in range(plan.variants[variant].ensemble)]
                keys[comparison.name, variant, seed] = tuple(run.key for run in own)
                for run in own:
                    fresh[run.key] = _merged(fresh.get(run.key), run)
        runs.update(sorted(fresh.items(), key=lambda item: (-item[1].work, item[1].label, item[1].seed)))
    return Schedule(tuple(runs.values()), keys)


def _nets(plan):
    return sorted({plan.recipe_of(comparison, variant).net
                   for comparison in plan.comparisons for variant in comparison.everyone})


def _run(plan, comparison, variant, seed, marks, data, runner, code):
    change, size = plan.change_of(comparison, variant), data.arrays.size[0]
    recipe = plan.recipe_of(comparison, variant).resolved(data.arrays.channels, size, runner.capability)
    if plan.variants[variant].ten_crop and crops_of(recipe.augment, recipe.crop, size) == 1:
        raise OptionError(f"ten_crop: the variant {variant!r} trains on no crops smaller than the images of "
                          f"{size} pixels. It needs augment = \"crop\" or \"crop+mirror\", and crop.")
    left = data.left(change.classes, change.images_a_class)
    key = run_key(data_digest(data.arrays, change.classes, change.images_a_class), recipe, seed, code[recipe.net])
    label = variant if not comparison.change.recipe and not change.classes else f"{variant} ({comparison.name})"
    return Run(key, recipe, seed, marks, change.classes, change.images_a_class, label, len(left.splits["train"]))


def _merged(one, other):
    if one is None:
        return other
    longest = max(one.recipe.epochs, other.recipe.epochs)
    return replace(one, recipe=one.recipe.changed(epochs=longest), marks=tuple(sorted({*one.marks, *other.marks})))
