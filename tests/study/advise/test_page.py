"""The page: what it says is what was found, and names cannot break it."""
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from fastlab.study.advise.deciding import Standing
from fastlab.study.advise.found import (
    BETTER,
    DOES_NOT,
    NO_DIFFERENCE,
    PAYS,
    PUT_BACK,
    UNDECIDED,
    UNTRIED,
    WORSE,
    Found,
    Part,
)
from fastlab.study.advise.look import Looked
from fastlab.study.advise.page import write_page
from fastlab.study.advise.race import FINAL, SCREENING, SEMIFINAL, UNRACED, Fate, Moment
from fastlab.study.advise.space import PLAIN
from fastlab.study.advise.telling import headline
from fastlab.training.recipe import Recipe

WINNER = Recipe(augment="handwriting", schedule="one-cycle", lr=3e-3, epochs=30)
NO_TIME = "there was no time to try without it"
ANSWER = Recipe(augment="handwriting", schedule="one-cycle", epochs=30)


def standing(difference, half, p=0.001):
    return Standing(0.98 + difference / 100, difference, difference - half, difference + half, half / 2, p, 4, 4000)


def made_up(tmp_path, verdict=BETTER, stopped=False, **changes):
    parts = (Part("augmentation", PAYS, standing(-1.23, 0.3)), Part("schedule", UNDECIDED, standing(-0.7, 0.9)),
             Part("rate", DOES_NOT, standing(0.04, 0.2), kept=False), Part("epochs", UNTRIED, why=NO_TIME))
    found = Found(PLAIN, WINNER, ANSWER, parts, standing(1.5, 0.4), verdict, (5, 6, 7))
    moments = [Moment(SCREENING, 4, 20.0, PLAIN.changed(epochs=6), 0.95, 0.94, 0.96),
               Moment(SEMIFINAL, 30, 200.0, WINNER.changed(epochs=12), 0.98, 0.975, 0.985),
               Moment(FINAL, 60, 900.0, WINNER, 0.99, 0.985, 0.995)]
    fates = {WINNER.changed(epochs=20): Fate(FINAL, "won", standing(0, 0.1)),
             Recipe(optimizer="sgd"): Fate(SCREENING, "clearly worse", standing(-3, 1)),
             Recipe(net="alexnet"): Fate(SCREENING, "not tried: too slow for the time given"),
             Recipe(lr=1.0): Fate(SCREENING, "failed: the loss is <not> finite")}
    trial = SimpleNamespace(tested=True, recipe=WINNER)
    race = SimpleNamespace(moments=moments, fates=fates, epochs={SCREENING: 6, SEMIFINAL: 12, FINAL: 30},
                           bench=SimpleNamespace(log={"a": (trial, 30.0)}))
    told = {"accuracy": 0.9912, "interval": [0.985, 0.995], "n": 1500, "gain": 1.31, "gain_interval": [0.9, 1.7],
            "gain_rounds": 4}
    values = {"recipe": ANSWER, "found": found, "race": race, "out": tmp_path, "seconds": 1190.0, "models": (),
              "told": {} if stopped else told, "stopped": stopped, "page": tmp_path / "report.html",
              "looked": Looked(4000, 1000, 1500, 12, 28, 1, 2.5, 0.97, 0.6, 1000, 5)} | changes
    names = ("accuracy", "interval", "n", "gain", "gain_interval")
    return SimpleNamespace(**values, **{name: values["told"].get(name) for name in names})


class Words(HTMLParser):
    "The page's words, and whether every tag that opens closes."
    empty = {"meta", "br", "link", "path", "rect", "ellipse", "use"}

    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.empty:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.empty:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def words(advice, name="folder"):
    write_page(advice, name)
    parser = Words()
    parser.feed(advice.page.read_text("utf-8"))
    assert parser.open == []
    return " ".join(" ".join(parser.words).split())


def test_the_page_says_what_was_found(tmp_path):
    page = words(made_up(tmp_path))
    for said in ("Use augmentation handwriting, schedule one-cycle, 30 epochs (30 epochs).", "99.12 % (98.50 to 99.50)",
                 "+1.31 points (+0.90 to +1.70)", "−1.23 (−1.53 to −0.93)", "clearly worse", "too slow",
                 "the largest class has 2.5 times".capitalize(), "whether schedule one-cycle pays",
                 "there was no time to try without it", "the loss is <not> finite", "20 min"):
        assert said in page, said


def test_what_was_not_taken_away_is_not_said_to_have_been(tmp_path):
    assert "3 of its 4 parts were taken away once" in words(made_up(tmp_path))
    found = made_up(tmp_path).found
    none = Found(PLAIN, WINNER, WINNER, tuple(Part(part.name, UNTRIED, why=NO_TIME) for part in found.parts))
    assert f"None of its parts was taken away alone ({NO_TIME})" in words(made_up(tmp_path, found=none))


def test_what_failed_is_not_said_to_have_had_no_time_and_what_did_not_run_is_not_counted(tmp_path):
    failed = Part("schedule", UNTRIED, why="the training without it failed: the loss is not finite")
    found = Found(PLAIN, WINNER, WINNER, (failed,) * 2)
    page = words(made_up(tmp_path, found=found))
    assert "whether schedule one-cycle pays: the training without it failed: the loss is not finite" in page
    assert "no time to try" not in page
    assert "3 Recipes were tried, 1 not;" in page


def test_the_page_says_whether_there_was_a_race(tmp_path):
    advice = made_up(tmp_path)
    assert "The race was won by:" in words(advice)
    advice.race.fates[WINNER] = Fate(FINAL, UNRACED)
    assert "No race was run; held against the plain Recipe was:" in words(advice)


def test_names_from_strangers_stay_words(tmp_path):
    advice = made_up(tmp_path)
    assert "<script>alert" in words(advice, "<script>alert(1)</script>")
    assert "<script" not in advice.page.read_text("utf-8")


def test_a_stopped_search_says_so_first(tmp_path):
    page = words(made_up(tmp_path, stopped=True))
    assert page.index("stopped before its end") < page.index("Use augmentation")
    assert "has not been read" in page


@pytest.mark.parametrize(("verdict", "start"), [(BETTER, "Sure that it is better"), (UNDECIDED, "Not sure: "),
                                                (WORSE, "Sure that what the race found is no better"),
                                                (NO_DIFFERENCE, "Sure that what the race found differs")])
def test_how_sure_it_is_goes_with_the_verdict(tmp_path, verdict, start):
    assert headline(made_up(tmp_path, verdict))[2].startswith(start)


def test_three_lines_and_figures_without_end_are_no_obstacle(tmp_path):
    endless = Standing(0.98, 0.5, -np.inf, np.inf, np.inf, 1.0, 1, 800)
    found = Found(PLAIN, WINNER, ANSWER, (), endless, UNDECIDED, ())
    advice = made_up(tmp_path, found=found)
    assert len(headline(advice)) == 3
    assert "nan" not in words(advice)


def test_a_part_that_was_put_back_is_in_the_answer_and_says_why(tmp_path):
    advice = made_up(tmp_path)
    back = Part("rate", DOES_NOT, standing(0.04, 0.2), why=PUT_BACK)
    advice.found = replace(advice.found, parts=(back, Part("schedule", DOES_NOT, standing(0.1, 0.2), kept=False)))
    write_page(advice, "a folder")
    told = (tmp_path / "report.html").read_text("utf-8")
    assert told.count(f"yes, {PUT_BACK}") == 1
