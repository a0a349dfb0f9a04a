"""The closed vocabulary of claims: a table that says which measures a word speaks of, and on which side they must lie.

A part says: this measure's difference (variant minus baseline, or the variant's own figure) lies above 0 ('+'), below
0 ('-'), within the region of practical equivalence ('='), or not below it ('>='). All parts must hold."""
from dataclasses import dataclass

SIDES = ("+", "-", "=", ">=")


@dataclass(frozen=True)
class Part:
    "One measure and its claimed side; `clearly`: beyond the region of practical equivalence, not just beyond 0."
    measure: str
    side: str
    clearly: bool = False


@dataclass(frozen=True)
class Word:
    """One word of the vocabulary. `alone`: it speaks of one variant, without a baseline. `needs`: keys that the claim
    must give ('since', 'elsewhere'). `both`: whether it has a meaning under either way of testing."""
    parts: tuple
    alone: bool = False
    needs: tuple = ()
    both: bool = True


def _one(measure, side, clearly=False, **options):
    return Word((Part(measure, side, clearly),), **options)


WORDS = {
    "more accurate": _one("accuracy", "+"),
    "less accurate": _one("accuracy", "-"),
    "clearly more accurate": _one("accuracy", "+", True),
    "clearly less accurate": _one("accuracy", "-", True),
    "no difference that matters": _one("accuracy", "="),
    "best at the end": _one("accuracy", "+"),
    "converges sooner": _one("epochs to a level", "-"),
    "converges more slowly": _one("epochs to a level", "+"),
    "learns faster at first": _one("early accuracy", "+"),
    "learns more slowly at first": _one("early accuracy", "-"),
    "calmer": _one("swing", "-"),
    "swings more": _one("swing", "+"),
    "swings more in the middle": _one("swing in the middle", "+"),
    "overtaken": Word((Part("early accuracy", "+"), Part("late accuracy", "-"))),
    "catches up": Word((Part("gain since", "+"), Part("accuracy", ">=")), needs=("since",)),
    "climbs longer": _one("climb", "+"),
    "gains more": _one("accuracy", "+", needs=("elsewhere",)),
    "more exact zeros": _one("exact zeros", "+", both=False),
    "smaller outputs": _one("outputs", "-", both=False),
    "smaller updates": _one("updates", "-", both=False),
    "overfits more": _one("gap", "+", both=False),
    "overfits less": _one("gap", "-", both=False),
    "still climbs": _one("climb", "+", alone=True),
    "stops climbing": _one("climb", "=", alone=True),
    "goes on improving": _one("gain since", "+", alone=True, needs=("since",)),
    "calms down": _one("calming", "+", alone=True),
    "overfits": _one("gap", "+", True, alone=True, both=False),
    "does not overfit": _one("gap", "=", alone=True, both=False),
    "its loss rises": _one("loss climb", "+", alone=True, both=False),
    "less accurate as printed": _one("shift as printed", "-", alone=True, both=False),
    "clearly less accurate as printed": _one("shift as printed", "-", True, alone=True, both=False),
}
AGAINST_ALL = "best at the end"  # the one word that compares with every other variant of the comparison
