"""Figures in words, the same in the page, in markdown and on a terminal."""
import math

from fastlab.study.verdicts import CONTRADICTED, HOLDS, NO_DIFFERENCE, UNDECIDED

MARKS = {HOLDS: "●", CONTRADICTED: "✕", NO_DIFFERENCE: "＝", UNDECIDED: "○"}
SHORT_UNITS = {"points": "pts", "points an epoch": "pts/ep.", "% of weights": "%"}
SHORT = {HOLDS: "holds", CONTRADICTED: "contradicted", NO_DIFFERENCE: "no difference", UNDECIDED: "undecided"}


def number(value, digits=2):
    "A figure with a real minus sign; a dash where there is none."
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def signed(value, digits=2):
    "A difference with its sign."
    plus = "+" if value is not None and math.isfinite(value) and round(value, digits) > 0 else ""
    return plus + number(value, digits)


def digits_for(unit):
    return {"nats": 3, "%": 0, "% of weights": 1}.get(unit, 2)


def span(figures):
    "−0.61 (−0.92 to −0.31)"
    digits = digits_for(figures.unit)
    return f"{signed(figures.difference, digits)} ({signed(figures.low, digits)} to {signed(figures.high, digits)})"


def p_value(value):
    "p as people read it: two figures that count, never 0."
    if value is None or math.isnan(value):
        return "–"
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}" if value < 0.0995 else f"{value:.2f}"


def count(figures):
    "10 seeds × 12,000 images, or 10 seeds for a curve's measure."
    seeds = f"{len(figures.seeds)} seed{'s' * (len(figures.seeds) != 1)}"
    return f"{seeds} × {figures.images:,} images" if figures.images else seeds


def who(claim):
    "dropout − plain, or the variant alone; with what it is compared with beside that."
    name = claim.variant if claim.than is None else f"{claim.variant} − {claim.than}"
    return f"{name}, beyond that in comparison {claim.elsewhere}" if claim.elsewhere else name


def slight(verdict):
    "Whether a claim holds by less than matters: the intervals of all its parts lie within the region."
    return verdict.verdict == HOLDS and all(part.side in "+-" and max(abs(part.low), abs(part.high)) < part.region
                                            for part in verdict.parts)


def sentence(verdict):
    "One sentence that says what was found and how sure it is."
    if not verdict.parts:
        return f"Undecided: {verdict.note}."
    found = "; ".join(_found(part, verdict.claim, number) for number, part in enumerate(verdict.parts))
    p = "" if all(part.side == "=" for part in verdict.parts) else f", p = {p_value(verdict.p_holm)} after Holm"
    small = ", though less than matters" if slight(verdict) else ""
    text = f"{verdict.verdict.capitalize()}{small}: {found} ({count(verdict.main)}{p})."
    if verdict.verdict == UNDECIDED and math.isfinite(verdict.main.smallest) and verdict.main.smallest:
        text += f" A true difference of {number(verdict.main.smallest, digits_for(verdict.main.unit))} " \
                f"{verdict.main.unit} would have been found four times in five."
    return text + (f" Note: {verdict.note}." if verdict.note else "")


def _found(part, claim, place):
    from fastlab.study.measures import MEASURES
    title = MEASURES[part.measure].title
    start = f"{title}, {who(claim)}: " if place == 0 else f"{title}: "
    return f"{start}{span(part)} {part.unit}"


def duration(seconds):
    "Time as people say it: 45 s, 12 min, 3.4 h."
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(count):
    "Bytes as people say them: 640 kB, 38 MB."
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if count >= least:
            return f"{count / least:.3g} {unit}"
    return f"{count / 1e3:.0f} kB"
