"""From figures to verdicts: holds, contradicted, no difference that matters, undecided. The rules are the plan's own
vocabulary, Holm's correction within each family, and the interval; nothing is chosen here."""
from dataclasses import dataclass

import numpy as np

from fastlab.study.figures import Figures, figures
from fastlab.study.plan import Claim
from fastlab.study.statistics import holm, seeds_needed, smallest_p
from fastlab.study.words import AGAINST_ALL

HOLDS, CONTRADICTED, NO_DIFFERENCE, UNDECIDED = "holds", "contradicted", "no difference that matters", "undecided"
VERDICTS = (HOLDS, CONTRADICTED, NO_DIFFERENCE, UNDECIDED)
LEVEL = 0.05


@dataclass(frozen=True)
class Verdict:
    """A claim with its verdict and the figures behind it, one for each part; those of the part that the verdict turns
    on are shown first. `p` is the claim's own, `p_holm` within its family; `note` says what a reader must know."""
    claim: Claim
    verdict: str
    parts: tuple
    p: float
    p_holm: float
    note: str = ""

    @property
    def main(self) -> Figures | None:
        return turning(self.parts, self.verdict) if self.parts else None

    @property
    def n(self):
        "How many paired seeds it rests on."
        return len(self.main.seeds) if self.main else 0

    def to_dict(self):
        "In the words of `fastlab study --json`; numbers that are not finite are null."
        main = self.main
        return {"claim": self.claim.says, "comparison": self.claim.comparison, "testing": self.claim.testing,
                "verdict": self.verdict, "difference": _finite(main and main.difference),
                "interval": [_finite(main and main.low), _finite(main and main.high)], "p": _finite(self.p),
                "p_holm": _finite(self.p_holm), "n": self.n, "images": main.images if main else 0,
                "unit": main.unit if main else None, "variant": self.claim.variant, "than": self.claim.than,
                "word": self.claim.word, "source": self.claim.source, "family": self.claim.family,
                "ahead": _finite(main and main.ahead), "smallest": _finite(main and main.smallest), "note": self.note}


def _finite(value):
    return float(value) if value is not None and np.isfinite(value) else None


def borne_out(side, clearly, low, high, region):
    "Whether an interval lies where a part claims; numbers or arrays."
    if side == "+":
        return low > (region if clearly else 0)
    if side == "-":
        return high < -(region if clearly else 0)
    return low > -region if side == ">=" else (low > -region) & (high < region)


def against(side, low, high, region):
    "Whether an interval lies on the other side of what a part claims; numbers or arrays."
    if side == "+":
        return high < 0
    if side == "-":
        return low > 0
    return high < -region if side == ">=" else (high < -region) | (low > region)


def points_there(part):
    "Whether a part's mean, without regard to its error, lies on the claimed side."
    return {"+": part.difference > 0, "-": part.difference < 0, ">=": part.difference > -part.region,
            "=": abs(part.difference) < part.region}[part.side]


def turning(parts, verdict):
    "The part that a verdict turns on: what makes no difference, what speaks most against the claim, or least for it."
    if verdict == NO_DIFFERENCE:
        return next(part for part in parts if _within(part))
    contrary = [part for part in parts if not points_there(part)]
    return min(contrary, key=lambda part: part.p) if contrary else max(parts, key=lambda part: part.p)


def _within(part):
    "Whether a part that claims a side lies within the region of practical equivalence."
    return part.side in "+-" and -part.region < part.low and part.high < part.region


def claim_p(parts):
    """One p for a claim of several parts: all must hold, so the largest; where parts point the other way, the smallest
    of those, times the number of parts (Bonferroni), for one of them is enough to contradict."""
    contrary = [part.p for part in parts if not points_there(part)]
    return min(1.0, min(contrary) * len(parts)) if contrary else max(part.p for part in parts)


def ruled(parts, p_holm):
    "The verdict on a claim with these parts."
    if not parts:
        return UNDECIDED
    equal = all(part.side == "=" for part in parts)
    if all(borne_out(part.side, part.clearly, part.low, part.high, part.region) for part in parts) \
            and (equal or p_holm <= LEVEL):
        return HOLDS
    contrary = [part for part in parts if not points_there(part)]
    if contrary and p_holm <= LEVEL:
        driving = min(contrary, key=lambda part: part.p)
        if against(driving.side, driving.low, driving.high, driving.region):
            return CONTRADICTED
    if any(map(_within, parts)):
        return NO_DIFFERENCE
    return UNDECIDED


def verdicts(gathered):
    "A Verdict for every claim of the plan, in its order; p corrected by Holm within each family."
    plan = gathered.plan
    sizes = {family: sum(claim.family == family for claim in plan.claims)
             for family in {claim.family for claim in plan.claims}}
    told = [_parts(claim, gathered, sizes[claim.family]) for claim in plan.claims]
    p = np.array([claim_p(parts) if parts else 1.0 for parts, _ in told])
    corrected = np.ones(len(p))
    for family in sizes:
        own = [number for number, claim in enumerate(plan.claims) if claim.family == family]
        corrected[own] = holm(p[own])
    return [Verdict(claim, ruled(parts, one), tuple(parts), float(raw), float(one),
                    note or _note(parts, sizes[claim.family], len(gathered.seeds)))
            for claim, (parts, note), raw, one in zip(plan.claims, told, p, corrected)]


def _parts(claim, gathered, size):
    "(the Figures of all parts of a claim, ''), or ([], why) where one of them has none."
    claims = [claim]
    if claim.word == AGAINST_ALL:
        others = [name for name in gathered.plan.comparison(claim.comparison).everyone if name != claim.variant]
        claims = [Claim(**{**claim.__dict__, "than": other}) for other in others]
    found = [figures(part, one, gathered, size) for one in claims for part in claim.parts]
    why = [one for one in found if isinstance(one, str)]
    return ([], why[0]) if why else (found, "")


def _note(parts, size, wanted):
    seeds, notes = len(parts[0].seeds), []
    if seeds < wanted:
        notes.append(f"{seeds} of {wanted} seeds")
    equal = all(part.side == "=" for part in parts)
    if smallest_p(seeds) * size > LEVEL and not equal:
        notes.append(f"{seeds} seed{'s' * (seeds > 1)} cannot carry {size} claims; {seeds_needed(size)} could")
    return "; ".join(notes)
