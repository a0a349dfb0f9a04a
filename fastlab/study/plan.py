"""A plan is data: a base Recipe, named variants as changes to it, comparisons of variants, claims about comparisons."""
from dataclasses import dataclass, field, replace

from fastlab.study.words import WORDS
from fastlab.training.recipe import Recipe

TESTINGS = ("eval", "as-printed")
QUICK_SEEDS, QUICK_EPOCHS, QUICK_IMAGES = 3, 0.3, 100
QUICK_SHARE = 0.25              # of the images a class where a plan gives them: of the usual 400, QUICK_IMAGES


@dataclass(frozen=True)
class Change:
    "What a variant or a comparison changes: fields of the Recipe, and what is left of the data."
    recipe: dict = field(default_factory=dict)
    classes: int | None = None
    images_a_class: int | None = None

    def over(self, other):
        "This change on top of another one."
        return Change({**other.recipe, **self.recipe}, self.classes or other.classes,
                      self.images_a_class or other.images_a_class)


@dataclass(frozen=True)
class Variant:
    """A named change to the base Recipe. `ensemble`: so many networks are trained and their probabilities averaged;
    `ten_crop`: each test image is seen in ten crops, their probabilities averaged."""
    name: str
    change: Change = Change()
    ensemble: int = 1
    ten_crop: bool = False
    title: str = ""


    @property
    def on_test_alone(self):
        "Whether only its predictions on test are known: those of several networks, or of several crops, averaged."
        return self.ensemble > 1 or self.ten_crop


@dataclass(frozen=True)
class Claim:
    """A sentence that results can bear out or contradict: `variant` `word` than `than`.

    `says`: the sentence in the report's words. `source`: where it comes from, such as 'conclusion 4' or 'guess (c)'.
    `family`: claims that Holm's correction takes together. `elsewhere`: the comparison whose difference this one's is
    compared with; `since`: the earlier epoch."""
    says: str
    comparison: str
    variant: str
    word: str
    than: str | None
    testing: str = "eval"
    source: str = ""
    family: str = "claims"
    elsewhere: str | None = None
    since: int | None = None

    @property
    def parts(self):
        return WORDS[self.word].parts


@dataclass(frozen=True)
class Comparison:
    "A baseline variant and others over the same seeds, after a change that all of them share."
    name: str
    title: str
    baseline: str
    variants: tuple
    change: Change = Change()
    question: str = ""
    claims: tuple = ()

    @property
    def everyone(self):
        return (self.baseline, *self.variants)


@dataclass(frozen=True)
class Plan:
    """All comparisons of a study. `region`: points that make no difference that matters. `haste`: what a quick look
    changes in the base Recipe besides."""
    title: str
    recipe: Recipe
    variants: dict
    comparisons: tuple
    text: str = ""
    seeds: int = 10
    region: float = 0.5
    haste: dict = field(default_factory=dict)
    hurried: bool = False

    @property
    def claims(self):
        return tuple(claim for comparison in self.comparisons for claim in comparison.claims)

    def comparison(self, name):
        return next(one for one in self.comparisons if one.name == name)

    def change_of(self, comparison, variant):
        "The whole change that makes a variant of a comparison: the variant's own lies over the comparison's."
        return self.variants[variant].change.over(comparison.change)

    def recipe_of(self, comparison, variant):
        "The Recipe of a variant within a comparison. Raises OptionError for a value outside its rule."
        change = self.change_of(comparison, variant).recipe
        if self.hurried:
            change = _thawed({"epochs": self.recipe.epochs, "freeze": self.recipe.freeze, **change})
        return self.recipe.changed(**change)

    def marks_of(self, comparison):
        "variant -> the epochs after which predictions are needed: the last one, and those that claims go back to."
        since = {claim.since for claim in comparison.claims if claim.since}
        return {variant: tuple(sorted({*since, self.recipe_of(comparison, variant).epochs}))
                for variant in comparison.everyone}

    def fitting(self, classes):
        """(this Plan without what a folder of so many classes does not hold, a note on each comparison that is left
        out): comparisons on some of the classes only, where there are no more than that, and claims that need them."""
        def fits(comparison, variant):
            needed = self.change_of(comparison, variant).classes
            return needed is None or needed < classes

        held, notes = {}, []
        for one in self.comparisons:
            kept = tuple(variant for variant in one.variants if fits(one, variant)) if fits(one, one.baseline) else ()
            if kept:
                held[one.name] = replace(one, variants=kept)
            if kept != one.variants:
                notes.append(f"Comparison {one.name!r} is left out{' in part' * bool(kept)}: it takes some classes "
                             f"only, and the folder has just {classes} in all.")

        def stands(claim):
            home, other = held[claim.comparison], held.get(claim.elsewhere)
            return {claim.variant, claim.than} <= {*home.everyone, None} and (
                claim.elsewhere is None or (other is not None and claim.variant in other.everyone))
        comparisons = tuple(replace(one, claims=tuple(filter(stands, one.claims))) for one in held.values())
        return replace(self, comparisons=comparisons), tuple(notes)

    def quick(self):
        "The same comparisons with fewer epochs, images and seeds: to see that all works, not to decide."
        if self.hurried:
            return self

        def fewer(recipe):
            return {**recipe, "epochs": quickly(recipe["epochs"])} if "epochs" in recipe else recipe

        def less(change):
            few = change.images_a_class and max(2, round(change.images_a_class * QUICK_SHARE))
            return replace(change, recipe=fewer(change.recipe), images_a_class=few)

        comparisons = tuple(replace(
            one, change=less(one.change).over(Change(images_a_class=QUICK_IMAGES)),
            claims=tuple(replace(claim, since=claim.since and quickly(claim.since)) for claim in one.claims))
            for one in self.comparisons)
        variants = {name: replace(one, change=less(one.change), ensemble=min(one.ensemble, 3))
                    for name, one in self.variants.items()}
        epochs = self.haste.get("epochs", quickly(self.recipe.epochs))
        recipe = self.recipe.changed(**{**_thawed({"epochs": epochs, "freeze": self.recipe.freeze}), **self.haste})
        return replace(self, recipe=recipe, variants=variants,
                       comparisons=comparisons, seeds=min(self.seeds, QUICK_SEEDS), hurried=True)


def quickly(epochs):
    "So many epochs are left of `epochs` in a quick study."
    return max(4, round(epochs * QUICK_EPOCHS))


def _thawed(fields):
    "A Recipe's fields with no more frozen epochs than epochs: a quick look has fewer of them."
    return {**fields, "freeze": min(fields["freeze"], fields["epochs"])}
