"""The report's pictures: arrays in, SVG text out, to stand inside the page; the same results give the same bytes."""
import io
import re

import matplotlib
import numpy as np

from fastlab.pictures.comparisons import pairs
from fastlab.pictures.curves import accuracy
from fastlab.pictures.style import blank, blanks, look
from fastlab.study.figures import differences, unmeasured
from fastlab.study.plan import Claim
from fastlab.study.statistics import paired_interval

WIDTH = 9.6
TITLES = {"eval": "tested with eval()", "as-printed": "tested as printed"}


def as_svg(figure):
    "A Figure as SVG text whose words stay words, without date, sized by the page."
    text = io.StringIO()
    with look(), matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fastlab"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    body = text.getvalue()
    body = body[body.index("<svg"):]
    return re.sub(r'<svg ([^>]*?)width="[^"]*"([^>]*?)height="[^"]*"', r"<svg \1\2", re.sub(
        r'height="([^"]*)"([^>]*?)width="([^"]*)"', r'width="\3"\2height="\1"', body, count=1), count=1)


def unique_ids(svg, prefix):
    "The same SVG with ids of its own, so that several may stand in one page."
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", svg)


def curves(gathered, comparison, testings):
    "Develop accuracy by epoch, a panel for each way of testing: mean curve with its band, every seed faint."
    panels = {}
    for testing in testings:
        runs = {}
        for variant in comparison.everyone:
            outcomes = gathered.outcomes(comparison, variant, testing)
            rows = [outcome.curve for outcome in outcomes.values()]
            if rows and not gathered.plan.variants[variant].on_test_alone and not np.isnan(rows).any():
                runs[variant] = np.stack(rows)
        if runs:
            panels[testing] = runs
    if not panels:
        return None
    lowest = min(_floor(runs) for runs in panels.values())
    with look():
        axes = blanks(1, len(panels), (WIDTH, 3.1), sharey=True)[0]
        for ax, (testing, runs) in zip(axes, panels.items()):
            accuracy(runs, ax=blank(ax))
            ax.set_title(f"On develop, {TITLES[testing]}", loc="left")
            ax.set(xlabel="epochs", ylabel="accuracy (%)" if ax is axes[0] else "")
            ax.set_ylim(bottom=lowest)
            ax.legend(loc="lower right")
    return as_svg(axes[0].get_figure())


def _floor(runs):
    "The lowest accuracy worth showing: the first epochs may be cut off, where they would flatten all the rest."
    later = min(float(np.quantile(values, 0.06)) for values in runs.values())
    return max(0.0, min(later, 0.97) - 0.02)


def paired(gathered, comparison, testings):
    "Every variant minus the baseline on test: each seed a point, the mean with its interval."
    rows, intervals = {}, {}
    for testing in testings:
        for variant in comparison.variants:
            claim = Claim("", comparison.name, variant, "more accurate", comparison.baseline, testing)
            seeds, tables = differences("accuracy", claim, gathered)
            if not seeds or unmeasured(tables):
                continue
            interval = paired_interval(tables)
            label = variant if len(testings) == 1 else f"{variant}, {'eval()' if testing == 'eval' else 'as printed'}"
            rows[label] = 100 * sum(table.mean(1) for table in tables)
            finite = len(seeds) > 1
            intervals[label] = (100 * interval.low, 100 * interval.high) if finite else (np.nan, np.nan)
    if not rows:
        return None
    with look():
        ax = blank(None, (WIDTH, 0.36 * len(rows) + 1.1), grid="x")
        pairs(rows, intervals, ax, gathered.plan.region)
        ax.set_title(f"On test, minus {comparison.baseline}: every seed, mean and 95 % interval", loc="left")
    return as_svg(ax.get_figure())

