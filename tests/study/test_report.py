"""The report: its first screen answers every claim, its sentences say what turned a verdict, same bytes."""
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from fastlab.study.forgotten import answer
from fastlab.study.plan import Claim
from fastlab.study.planfile import plan_from
from fastlab.study.report.content import cell, content
from fastlab.study.report.wording import number, p_value, sentence, slight, span
from fastlab.study.study import Study
from fastlab.study.tomllines import PlanText
from fastlab.study.verdicts import CONTRADICTED, HOLDS, NO_DIFFERENCE, UNDECIDED, Figures, Verdict


def figures(measure, side, difference, half, p, region=0.5):
    return Figures(measure, side, False, "points", region, tuple(range(10)), (difference,) * 10, 1000, difference,
                   difference - half, difference + half, p, 1.0, 0.4)


def verdict(kind, *parts):
    claim = Claim("It is overtaken", "4", "BatchNorm", "overtaken", "plain")
    return Verdict(claim, kind, parts, 0.01, 0.04)


EARLY, LATE = figures("early accuracy", "+", 2.0, 0.5, 0.002), figures("late accuracy", "-", -0.9, 0.3, 0.01)


@pytest.mark.parametrize(("kind", "parts", "turned"), [
    (HOLDS, (EARLY, LATE), "late accuracy"), (HOLDS, (replace(EARLY, p=0.03), LATE), "early accuracy"),
    (UNDECIDED, (EARLY, figures("late accuracy", "-", 0.1, 0.3, 0.6)), "late accuracy"),
    (CONTRADICTED, (EARLY, figures("late accuracy", "-", 0.9, 0.3, 0.001)), "late accuracy"),
    (NO_DIFFERENCE, (EARLY, figures("late accuracy", "-", -0.1, 0.3, 0.4)), "late accuracy")])
def test_the_figures_shown_first_are_those_that_the_verdict_turned_on(kind, parts, turned):
    told = verdict(kind, *parts)
    assert told.main.measure == turned
    assert told.to_dict()["difference"] == told.main.difference
    for part in parts:
        assert span(part) in sentence(told)  # the sentence tells all of them


@pytest.mark.parametrize(("kind", "difference", "told"), [
    (HOLDS, 0.3, True), (HOLDS, 0.41, False), (HOLDS, 2.0, False), (UNDECIDED, 0.3, False)])
def test_what_holds_by_less_than_matters_holds_slightly(kind, difference, told):
    one = verdict(kind, figures("early accuracy", "+", difference, 0.1, 0.002))
    assert slight(one) is told
    assert cell(one)["short"].endswith(", slightly") is told
    assert ("though less than matters" in sentence(one)) is told


def test_whether_the_missing_eval_explains_a_conclusion():
    assert answer(CONTRADICTED, HOLDS)[0] == answer(NO_DIFFERENCE, HOLDS)[0] == "yes"
    assert answer(UNDECIDED, HOLDS)[0] == "perhaps"
    for proper in (HOLDS, CONTRADICTED, NO_DIFFERENCE, UNDECIDED):
        for printed in (CONTRADICTED, NO_DIFFERENCE, UNDECIDED):
            assert answer(proper, printed)[0] == "no"
    assert answer(HOLDS, HOLDS) == ("no", "it holds with eval() as well")
    assert "as printed it stays undecided" in answer(CONTRADICTED, UNDECIDED)


@pytest.mark.parametrize(("value", "told"), [(0.00001, "< 0.0001"), (0.0021, "0.0021"), (0.0996, "0.10"), (1, "1.00"),
                                             (float("nan"), "–")])
def test_p_is_told_with_two_figures_and_never_as_nought(value, told):
    assert p_value(value) == told


def test_a_small_negative_number_is_not_told_as_minus_nought():
    assert number(-0.001) == "0.00"
    assert number(-1.5) == "−1.50"
    assert number(float("-inf")) == "−∞"


class Read(HTMLParser):
    "The words of a page, its links and ids, and whether every tag is closed."
    ALONE = {"meta", "br", "path", "rect", "ellipse", "use", "link", "img"}

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.links, self.ids = [], [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.ids += [told["id"]] if "id" in told else []
        self.links += [told["href"]] if tag == "a" else []
        if tag not in self.ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.ALONE:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    "A study of six seeds with the fake runner, its pictures too."
    from made_up_study import made_up_arrays, small_plan

    from fastlab.study.runner import Runner
    made = Study(small_plan(), made_up_arrays(), tmp_path_factory.mktemp("report") / "study",
                 runner=Runner("fake_runner:carry_out"), source="/somewhere/my <images> & more")
    return made.run(0, show=False)


def test_the_page_is_whole_links_lead_somewhere_and_names_are_escaped(done):
    page = (done.out / "report.html").read_text("utf-8")
    read = Read(page)
    assert len(read.ids) == len(set(read.ids))
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)
    words = " ".join(read.words)
    assert "my <images> & more" in words
    assert "/somewhere" not in page
    first = page[:page.index('id="question"')]
    for claim in done.plan.claims:
        assert claim.says in first


def test_every_claim_s_figures_stand_on_the_first_screen_and_in_the_markdown(done):
    page, text = (str((done.out / name).read_text("utf-8")) for name in ("report.html", "report.md"))
    first = page[:page.index('id="question"')]
    for told in done.verdicts:
        assert span(told.main) in first
        row = next(line for line in text.splitlines() if line.startswith(f"| {told.claim.says} ("))
        assert re.search(rf"{told.verdict}(, slightly)? \| {re.escape(span(told.main))}", row)
        assert f"| {told.n}" in row


def test_markdown_tables_have_as_many_cells_in_every_row(done):
    for block in re.findall(r"(?:^\|.*\n)+", (done.out / "report.md").read_text("utf-8"), re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_every_comparison_has_its_pictures_with_every_seed(done):
    page = (done.out / "report.html").read_text("utf-8")
    sections = re.findall(r'<section id="c-\d+">.*?</section>', page, re.S)
    assert len(sections) == len(done.plan.comparisons)
    for section, one in zip(sections, done.plan.comparisons):
        assert section.count("<svg") - section.count('class="glyph"') == 2
        for name in one.everyone:
            assert f">{name}" in section


def test_too_few_seeds_are_said_at_once_and_enough_are_not(small_plan, arrays, fake, tmp_path, done, no_pictures):
    few = Study(small_plan, arrays, tmp_path / "few", seeds=3, runner=fake).run(0, show=False)
    for name in ("report.html", "report.md"):
        assert "3 paired seeds are too few" in (few.out / name).read_text("utf-8")
    enough = Study(small_plan, arrays, tmp_path / "enough", seeds=8, runner=fake).run(0, show=False)
    assert content(enough)["state"]["needed"] == 8  # 2 / 2^8 times 4 claims is below 0.05, 2 / 2^7 times 4 is not
    assert "too few" not in (enough.out / "report.html").read_text("utf-8")


def test_crops_of_images_whose_size_the_plan_leaves_to_the_data(fake, tmp_path, no_pictures):
    from made_up_study import SMALL_PLAN, made_up_arrays
    small = made_up_arrays()
    large = replace(small, images=np.zeros((len(small.labels), 48, 48, 1), np.uint8))
    text = SMALL_PLAN.replace("lr = 1e-3", 'crop = 40\naugment = "crop"')
    told = content(Study(plan_from(PlanText(text)), large, tmp_path / "study", seeds=1, runner=fake).run(0, show=False))
    assert told["comparisons"][0]["setting"] == "batch 64, 8 epochs, adam, rate 0.001"


def test_results_curves_and_verdicts_from_python(done):
    table, curves = done.results, done.curves
    assert list(table.columns[:5]) == ["comparison", "variant", "seed", "epoch", "testing"]
    own = table.query("comparison == '1' and testing == 'eval'").pivot(index="seed", columns="variant",
                                                                        values="test_accuracy")
    told = done.verdicts[0]
    assert told.to_dict()["difference"] == pytest.approx(100 * (own.L1 - own.plain).mean())
    assert told.main.rows == pytest.approx(100 * (own.L1 - own.plain))
    assert (table.test_right / table.test_images).to_numpy() == pytest.approx(table.test_accuracy.to_numpy())
    assert not table.duplicated(["comparison", "variant", "seed", "epoch", "testing"]).any()
    long = curves.query("comparison == 'long' and variant == 'plain' and seed == 2")
    assert long.epoch.tolist() == list(range(1, 17))
    import pandas as pd
    assert pd.read_csv(done.out / "results.csv", dtype={"comparison": str}).test_accuracy.tolist() == \
        table.test_accuracy.tolist()
