"""What a search found, and the rules by which it is found.

A part whose loss shows stays. A part without which nothing is lost, or too little to matter, goes. Where nothing is
decided, the figures are followed only beyond the region of no difference."""
from dataclasses import dataclass

from fastlab.study.advise.race import FINAL
from fastlab.study.advise.trials import REGION
from fastlab.study.verdicts import LEVEL

PAYS, DOES_NOT, UNDECIDED, UNTRIED = "pays", "does not pay", "undecided", "not tried"
BETTER, NO_DIFFERENCE, WORSE = "better", "no difference that matters", "worse"


@dataclass(frozen=True)
class Part:
    "One part of the winner: whether it pays, and how the winner without it stood to the winner."
    name: str
    verdict: str
    standing: object = None
    kept: bool = True


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
    def sure(self):
        "Whether the choice between the answer and the plain Recipe rests on more than chance."
        return self.verdict != UNDECIDED


def part_for(name, standing, p):
    "The Part that a Standing without it speaks for; p is corrected."
    if standing is None:
        return Part(name, UNTRIED)
    if standing.difference < 0 and p <= LEVEL:
        return Part(name, PAYS, standing)
    if standing.low > -REGION:
        return Part(name, DOES_NOT, standing, kept=False)
    return Part(name, UNDECIDED, standing, kept=standing.difference < -REGION)


def compared(standing, tried):
    "The verdict on a Recipe against the plain one; paid for as many Recipes as were tried beside it."
    if standing is None:
        return UNDECIDED
    if standing.p * tried <= LEVEL:
        return BETTER if standing.difference > 0 else WORSE
    return NO_DIFFERENCE if max(-standing.low, standing.high) < REGION else UNDECIDED


def preferred(standing, verdict):
    "Whether it is to be preferred to the plain Recipe: shown to be better, or else well beyond what does not matter."
    if verdict == UNDECIDED:
        return standing is not None and standing.difference > max(REGION, standing.error)
    return verdict == BETTER
