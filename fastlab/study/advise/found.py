"""What a search found, and the rules by which it is found.

A part whose loss shows stays. A part without which nothing is lost, or too little to matter, goes. Where nothing is
decided, the figures are followed only beyond the region of no difference."""
from dataclasses import dataclass

from fastlab.study.advise.race import FINAL
from fastlab.study.advise.trials import REGION
from fastlab.study.verdicts import LEVEL

LEAST_REGION = 0.1              # points
PUT_BACK = "put back: missed once the others were gone"
PAYS, DOES_NOT, UNDECIDED, UNTRIED = "pays", "does not pay", "undecided", "not tried"
BETTER, NO_DIFFERENCE, WORSE = "better", "no difference that matters", "worse"


@dataclass(frozen=True)
class Part:
    """One part of the winner: whether it pays, and how the winner without it stood to the winner; `why` that is not
    known, or why it is kept all the same."""
    name: str
    verdict: str
    standing: object = None
    kept: bool = True
    why: str = ""


@dataclass(frozen=True)
class Found:
    """What a search found. `plain`: the baseline as it was trained; `winner`: of the race; `answer`: what is left of
    it, or plain; `parts`: a Part for each of the winner's; `against_plain`: the Standing of what was held against the
    plain Recipe in the end; `verdict`: better, no difference that matters, undecided or worse; `rounds`: those that
    both have; `stage`: the last one that was reached."""
    plain: object
    winner: object
    answer: object
    parts: tuple = ()
    against_plain: object = None
    verdict: str = UNDECIDED
    rounds: tuple = ()
    stage: str = FINAL

    @property
    def region(self):
        "Points that make no difference that matters here; the least of those that parts were judged by."
        there = [part.standing for part in self.parts if part.standing is not None] or [self.against_plain]
        return min(REGION if one is None else region_of(one) for one in there)

    @property
    def sure(self):
        "Whether the choice between the answer and the plain Recipe rests on more than chance."
        return self.verdict != UNDECIDED


def region_of(standing):
    """Points that make no difference that matters: REGION, but no more than half of the errors that the better of the
    two leaves (of 99.6 % and 99.3 % the second makes nearly twice the errors), and a tenth of a point at least."""
    better = max(standing.accuracy, standing.accuracy - standing.difference / 100)
    return min(REGION, max(50 * (1 - better), LEAST_REGION))


def part_for(name, standing, p):
    "The Part that a Standing without it speaks for; p is corrected."
    if standing is None:
        return Part(name, UNTRIED)
    if standing.difference < 0 and p <= LEVEL:
        return Part(name, PAYS, standing)
    region = region_of(standing)
    if standing.low > -region:
        return Part(name, DOES_NOT, standing, kept=False)
    return Part(name, UNDECIDED, standing, kept=standing.difference < -region)


def compared(standing, tried):
    "The verdict on a Recipe against the plain one; paid for as many Recipes as were tried beside it."
    if standing is None:
        return UNDECIDED
    if standing.p * tried <= LEVEL:
        return BETTER if standing.difference > 0 else WORSE
    return NO_DIFFERENCE if max(-standing.low, standing.high) < region_of(standing) else UNDECIDED


def preferred(standing, verdict):
    "Whether it is to be preferred to the plain Recipe: shown to be better, or else well beyond what does not matter."
    if verdict == UNDECIDED:
        return standing is not None and standing.difference > max(region_of(standing), standing.error)
    return verdict == BETTER
