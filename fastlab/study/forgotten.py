"""The forgotten eval(): whether testing as printed alone explains what the report concluded."""
from dataclasses import dataclass, replace

from fastlab.study.figures import differences, unmeasured
from fastlab.study.measures import MEASURES
from fastlab.study.statistics import paired_interval, seed_interval
from fastlab.study.verdicts import CONTRADICTED, HOLDS, NO_DIFFERENCE, Verdict

YES, PERHAPS, NO = "yes", "perhaps", "no"


@dataclass(frozen=True)
class Explained:
    """A claim under both ways of testing. `answer`: whether the missing eval() alone explains it; `shift`, `low`,
    `high`: what testing as printed adds to the claim's difference, in the unit of its measure."""
    proper: Verdict
    printed: Verdict
    answer: str
    reason: str
    shift: float | None
    low: float | None
    high: float | None


def explained(verdicts, gathered):
    "An Explained for every claim that was decided under both ways of testing, in the plan's order."
    proper = {_without_testing(one.claim): one for one in verdicts if one.claim.testing == "eval"}
    pairs = [(proper[_without_testing(one.claim)], one) for one in verdicts
             if one.claim.testing != "eval" and _without_testing(one.claim) in proper]
    return [Explained(one, other, *answer(one.verdict, other.verdict), *_shift(other.claim, gathered))
            for one, other in pairs]


def answer(proper, printed):
    "(yes, perhaps or no; why) from the verdicts with eval() and as printed."
    if printed != HOLDS:
        told = {CONTRADICTED: "it is contradicted", NO_DIFFERENCE: "there is no difference that matters"}
        return NO, ("it holds only with eval()" if proper == HOLDS
                    else f"as printed {told.get(printed, 'it stays undecided')}")
    if proper == HOLDS:
        return NO, "it holds with eval() as well"
    if proper in (CONTRADICTED, NO_DIFFERENCE):
        return YES, f"it holds as printed; with eval(): {proper}"
    return PERHAPS, "it holds as printed; with eval() it stays undecided"


def _without_testing(claim):
    return replace(claim, testing="", family="")


def _shift(claim, gathered):
    "What testing as printed adds to the difference of the claim's first part, with its interval."
    measure = claim.parts[0].measure
    seeds, printed = differences(measure, claim, gathered, "as-printed")
    _, proper = differences(measure, claim, gathered, "eval")
    if len(seeds) < 2 or unmeasured([*printed, *proper]):
        return None, None, None
    tables = [one - other for one, other in zip(printed, proper)]
    interval = seed_interval(tables[0]) if tables[0].ndim == 1 else paired_interval(tables)
    return tuple(float(MEASURES[measure].told(value)) for value in (interval.mean, interval.low, interval.high))
