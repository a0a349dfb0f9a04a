"""Thousands of made-up studies at once, decided by the study's own rules.

Most test images are told rightly by every network; the hard ones have a difficulty, every seed its luck (shared by
the variants, which are paired) and its own one in each variant, every (seed, image) an interaction that the variants
share, every (variant, seed, image) its accident. `taste` lets variants suit different images without any being better:
then the test images are a source of error that all seeds agree on. All of it is normal, in logits; an answer is right
with the logistic chance of the sum."""
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import expit

from fastlab.study.figures import Figures, weighed
from fastlab.study.measures import MEASURES
from fastlab.study.plan import Claim
from fastlab.study.power import power
from fastlab.study.statistics import components, holm, paired_interval, sign_flip_p
from fastlab.study.verdicts import CONTRADICTED, HOLDS, LEVEL, VERDICTS, claim_p, ruled

REGION = 0.5
CELLS = 12_000_000              # seeds x images x studies that are worked on at once
WORDS = ("more accurate", "less accurate", "clearly more accurate", "overtaken", "more accurate", "less accurate",
         "converges sooner")
CURVES = {"early accuracy": 0.01, "late accuracy": 0.004, "epochs to a level": 0.8}  # measure -> spread over seeds


@dataclass(frozen=True)
class World:
    "Spreads in logits, and the share of test images that are hard, with their mean. Some 96 % of answers are right."
    taste: float = 0.0
    hard: float = 0.12
    mean: float = 1.0
    difficulty: float = 2.0
    luck: float = 0.15
    own_luck: float = 0.15
    interaction: float = 0.8
    accident: float = 0.8

    def difference(self, effect):
        "What endless seeds and images would find for a gain of `effect` logits, as a fraction; by Gauss and Hermite."
        at, weights = np.polynomial.hermite_e.hermegauss(80)
        spread = np.sqrt(sum(getattr(self, one.name) ** 2 for one in fields(self) if one.name not in ("hard", "mean")))
        gain = expit(self.mean + effect + spread * at) - expit(self.mean + spread * at)
        return self.hard * float(weights @ gain / weights.sum())


def answers(rng, world, studies, seeds, images, effects):
    """Right or wrong, one array (studies, seeds, images) of 0 and 1 for each of `effects` (logits): the baseline's
    first. Hard images come first in the array; which ones they are says nothing."""
    hard = rng.binomial(images, world.hard, (studies, 1, 1))
    most = int(hard.max())

    def normal(spread, *shape):
        return np.float32(spread) * rng.standard_normal(shape, dtype=np.float32)

    shared = np.float32(world.mean) + normal(world.difficulty, studies, 1, most) + normal(world.luck, studies, seeds, 1)
    shared += normal(world.interaction, studies, seeds, most)
    for effect in effects:
        logit = shared + normal(world.own_luck, studies, seeds, 1) + normal(world.taste, studies, 1, most)
        logit += normal(world.accident, studies, seeds, most) + np.float32(effect)
        right = np.ones((studies, seeds, images), np.float32)
        right[..., :most] = (rng.random(logit.shape, dtype=np.float32) < expit(logit)) | (np.arange(most) >= hard)
        yield right


def chunks(studies, cells):
    "Numbers of studies that are worked on together."
    step = max(1, CELLS // cells)
    return [min(step, studies - start) for start in range(0, studies, step)]


@dataclass(frozen=True)
class Single:
    "One comparison of two variants in many studies: arrays (studies,), and what `power` wants to know of the world."
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    seeds_p: np.ndarray
    truth: float
    seed_spread: float
    image_error: float

    @property
    def coverage(self):
        return float(((self.low <= self.truth) & (self.truth <= self.high)).mean())

    def found(self, claims=1):
        "The share of studies in which a gain is found, were it the first in a family of so many claims."
        return float(((self.low > 0) & (self.p * claims <= LEVEL)).mean())


def singles(rng, world, studies, seeds, images, effect):
    "Many studies of one comparison, a Single."
    parts, spreads, errors = [], [], []
    for count in chunks(studies, seeds * images):
        first, other = answers(rng, world, count, seeds, images, (0, effect))
        table = np.subtract(other, first, dtype=np.float64)
        rows, interval, p = weighed([table], curve=False)
        parts.append((interval.low, interval.high, p, sign_flip_p(rows)))
        _, image, rest = components(table)
        spreads.append(rows.var(-1, ddof=1))
        errors.append((image - rest) / (seeds * images))
    image_error = max(np.concatenate(errors).mean(), 0) ** 0.5
    seed_spread = np.concatenate(spreads).mean() ** 0.5
    return Single(*np.concatenate(parts, 1), world.difference(effect), seed_spread, image_error)


def computed(single, seeds, images, claims=1):
    "The power that the study's own formula gives for what the Single found out about its world."
    return power(single.truth, single.seed_spread, single.image_error, seeds, claims, step=1 / images)


def family(words=WORDS, twice=2):
    "So many claims about variants v1, v2 … against v0, words in turn: by default 14."
    return [Claim(word, "made up", f"v{number}", word, "v0") for number, word in enumerate(words * twice, 1)]


def figures_of(claim, tables, curves, studies):
    "For every study the tuple of Figures of a claim's parts. `tables`, `curves[measure]`: variant -> differences."
    parts = []
    for part in claim.parts:
        measure = MEASURES[part.measure]
        curve = part.measure in CURVES
        _, interval, p = weighed([(curves[part.measure] if curve else tables)[claim.variant]], curve)
        told = [measure.told(value).tolist() for value in (interval.mean, interval.low, interval.high)]
        parts.append([Figures(part.measure, part.side, part.clearly, measure.unit, measure.region or REGION, (), (), 0,
                              *figures, 0.5, 0.0) for figures in zip(*told, p.tolist())])
    return list(zip(*parts))


def curve_rows(rng, claims, studies, seeds):
    "measure -> variant -> differences (studies, seeds): the baseline's luck is in all of them."
    found = {}
    for measure, spread in CURVES.items():
        base = rng.standard_normal((studies, seeds))
        found[measure] = {claim.variant: spread * (rng.standard_normal((studies, seeds)) - base) for claim in claims}
    return found


def decided(claims, tables, curves, studies):
    "(verdicts as numbers of VERDICTS, p after Holm), both (studies, claims): the study's own p, correction and ruling."
    parts = [figures_of(claim, tables, curves, studies) for claim in claims]
    p = np.array([[claim_p(figures) for figures in own] for own in parts]).T
    corrected = holm(p)
    return np.array([[VERDICTS.index(ruled(parts[claim][study], corrected[study, claim]))
                      for claim in range(len(claims))] for study in range(studies)]), corrected


def families(rng, world, studies, seeds, images, effects=None, claims=None):
    """Verdicts (studies, claims) of whole families that share a baseline. effects: logits that each variant gains,
    none if left out. Also what a rule that is not in use would have let through, see `on_seeds_alone`."""
    claims = claims or family()
    effects = effects or [0.0] * len(claims)
    found, alone = [], []
    for count in chunks(studies, seeds * images * len(claims)):
        made = answers(rng, world, count, seeds, images, (0.0, *effects))
        first = next(made)
        tables = {claim.variant: np.subtract(right, first, dtype=np.float64) for claim, right in zip(claims, made)}
        found.append(decided(claims, tables, curve_rows(rng, claims, count, seeds), count)[0])
        alone.append(on_seeds_alone(list(tables.values())))
    return np.concatenate(found), np.concatenate(alone)


def on_seeds_alone(tables):
    "Families (studies,) with a finding if Holm corrected the seeds' p alone, and the 95 % interval were looked at too."
    intervals = [paired_interval(table) for table in tables]
    outside = np.stack([(one.low > 0) | (one.high < 0) for one in intervals], 1)
    return ((holm(np.stack([sign_flip_p(table.mean(-1)) for table in tables], 1)) <= LEVEL) & outside).any(1)


def false_share(verdicts):
    "The share of families in which a claim about a difference that is not there holds or is contradicted."
    return float(np.isin(verdicts, (VERDICTS.index(HOLDS), VERDICTS.index(CONTRADICTED))).any(1).mean())
