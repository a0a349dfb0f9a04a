"""fastlab's own plans: all that they promise is in them, and each is carried out from end to end."""
import re
from dataclasses import replace

import numpy as np
import pytest
from made_up_study import made_up_arrays

from fastlab import Study
from fastlab.errors import OptionError, PlanError
from fastlab.images.arrays import Arrays
from fastlab.study.planfile import OWN_PLANS, plan_from, read_plan
from fastlab.study.runner import Runner
from fastlab.study.statistics import smallest_p
from fastlab.study.tomllines import PlanText
from fastlab.study.verdicts import LEVEL
from fastlab.study.words import WORDS


def sized(arrays, size, channels=1):
    "The same labels over blank images of `size` pixels, which take no memory."
    blank = np.broadcast_to(np.uint8(0), (len(arrays.labels), size, size, channels))
    return Arrays(blank, arrays.labels, arrays.splits, arrays.classes, arrays.names)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    "Plan name -> its Study, carried out by the fake runner with two seeds; its report without pictures."
    data = {"lab": sized(made_up_arrays(12, 8, 6, 10), 28), "extras": sized(made_up_arrays(12, 8, 6, 10), 28),
            "photos": sized(made_up_arrays(4, 12, 8, 60), 256, 3)}
    found = {name: Study.from_toml(name, arrays, tmp_path_factory.mktemp(name) / "study", seeds=2,
                                   runner=Runner("fake_runner:carry_out")) for name, arrays in data.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastlab.study.report.write.pictures_of", lambda gathered, item, ids: [])
        for study in found.values():
            study.run(0, show=False)
    return found


@pytest.mark.parametrize("name", OWN_PLANS)
def test_every_claim_of_a_plan_is_decided_from_all_seeds(done, name):
    study = done[name]
    assert not study.failed
    assert {one.claim for one in study.verdicts} == set(study.plan.claims)
    assert all(one.n == 2 and one.parts for one in study.verdicts)
    told = (study.out / "report.md").read_text("utf-8")
    for claim in study.plan.claims:
        assert claim.says in told


@pytest.mark.parametrize("name", OWN_PLANS)
def test_ten_seeds_can_carry_every_family(name):
    claims = [claim.family for claim in read_plan(name).claims]
    assert all(smallest_p(read_plan(name).seeds) * claims.count(family) <= LEVEL for family in claims)


def test_the_report_s_plan_has_all_conclusions_and_guesses_and_both_ways_of_testing():
    plan = read_plan("lab")
    sources = {claim.source for claim in plan.claims}
    assert {f"conclusion {number}" for number in range(1, 8)} <= sources
    assert {f"guess ({letter})" for letter in "abcdefghijklm"} <= sources
    for name in "34567":
        concluded = [one for one in plan.comparison(name).claims if one.source == f"conclusion {name}"]
        ways = {one.says: set() for one in concluded}
        for one in concluded:
            ways[one.says].add(one.testing)
        assert ways
        assert all(way == {"eval", "as-printed"} for way in ways.values())


def test_the_extras_vary_what_they_say():
    plan = read_plan("extras")

    def values(field):
        return {getattr(plan.recipe_of(one, name), field) for one in plan.comparisons for name in one.everyone}

    assert values("optimizer") == {"adam", "adamw", "sgd"}
    assert values("augment") == {"none", "crop", "crop+mirror", "handwriting"}
    assert {"loss", "gradient", "proximal"} <= values("l1_form")
    assert {"fp32", "bf16"} <= values("precision")
    assert values("net") == {"lenet", "lenet-classic"}
    assert {one.ensemble for one in plan.variants.values()} == {1, 7}
    assert len({one.change.images_a_class for one in plan.variants.values()}) == 5


def test_photographs_are_cropped_from_256_to_224_by_alexnet_and_a_resnet():
    plan = read_plan("photos")
    assert (plan.recipe.size, plan.recipe.crop, plan.recipe.channels) == (256, 224, 3)
    nets = {plan.recipe_of(one, name).net for one in plan.comparisons for name in one.everyone}
    assert nets == {"alexnet2012", "torchvision:resnet18"}


def test_ten_crops_test_the_same_runs_and_ensembles_share_their_first_member(done):
    keys = done["photos"].schedule.keys
    assert keys["ten crops", "ten crops", 1] == keys["ten crops", "AlexNet", 1] == keys["LRN", "AlexNet", 1]
    seven = keys["ensemble", "seven AlexNets", 1]
    assert len(set(seven)) == 7
    assert seven[0] == keys["ensemble", "AlexNet", 1][0]


def test_ten_crops_are_told_by_their_own_predictions(done):
    gathered = done["photos"].gathered
    truth = gathered.data.truth()["test"]
    for seed in (0, 1):
        kept = gathered.results[gathered.schedule.keys["ten crops", "ten crops", seed][0]].marks[90]
        ten, one = (float((kept[name] == truth).mean()) for name in ("test_ten_crop", "test"))
        assert ten != one
        table = done["photos"].results.query(f"comparison == 'ten crops' and seed == {seed} and testing == 'eval'")
        assert dict(zip(table.variant, table.test_accuracy)) == {"ten crops": ten, "AlexNet": one}


def test_an_ensemble_is_the_mean_of_its_members_probabilities(done):
    study = done["extras"]
    members = [study.gathered.results[key] for key in study.schedule.keys["ensemble", "seven LeNets", 1]]
    votes = np.sum([one.marks[20]["test_probabilities"].astype(float) for one in members], 0).argmax(1)
    right = (votes == study.data.truth()["test"]).mean()
    row = study.results.query("comparison == 'ensemble' and variant == 'seven LeNets' and seed == 1")
    assert row.test_accuracy.tolist() == [pytest.approx(right)]


def test_ten_crops_of_whole_images_are_refused(arrays, fake, tmp_path):
    text = ('[recipe]\nnet = "lenet"\n[variants]\nplain = {}\nten = { ten_crop = true }\n[[comparison]]\nname = "1"\n'
            'baseline = "plain"\nvariants = ["ten"]\n')
    for more in ("", 'augment = "crop"\n', 'augment = "crop"\ncrop = 4\n'):
        plan = plan_from(PlanText(text.replace('"lenet"\n', '"lenet"\n' + more)))
        with pytest.raises(OptionError, match=r"ten_crop.*'ten'.*4 pixels.*crop"):
            Study(plan, arrays, tmp_path / "out", runner=fake)
    plan = plan_from(PlanText(text.replace('"lenet"\n', '"lenet"\naugment = "crop"\ncrop = 3\n')))
    assert Study(plan, arrays, tmp_path / "out", runner=fake).schedule.runs


def test_a_quick_plan_is_the_same_comparisons_with_less_of_everything(fake, tmp_path, no_pictures):
    plan = read_plan("lab")
    quick = plan.quick()
    assert [one.name for one in quick.comparisons] == [one.name for one in plan.comparisons]
    assert [replace(one, since=None) for one in quick.claims] == [replace(one, since=None) for one in plan.claims]
    for one, less in zip(plan.comparisons, quick.comparisons):
        for name in one.everyone:
            assert quick.recipe_of(less, name).epochs < plan.recipe_of(one, name).epochs
            assert quick.change_of(less, name).images_a_class
    study = Study(plan, sized(made_up_arrays(12, 8, 6, 10), 28), tmp_path / "out", quick=True, runner=fake)
    study.run(0, show=False)
    assert "A quick look" in (study.out / "report.md").read_text("utf-8")
    assert all(one.n == 3 for one in study.verdicts)


def test_a_quick_learning_curve_still_falls_with_fewer_images():
    "What a plan says of images a class is cut as all else is: a variant with few never has more than the baseline."
    plan = read_plan("extras")
    quick = plan.quick()
    for one, less in zip(plan.comparisons, quick.comparisons):
        whole, few = ([told.change_of(home, name).images_a_class or 400 for name in one.everyone]
                      for told, home in ((plan, one), (quick, less)))
        assert np.argsort(few, kind="stable").tolist() == np.argsort(whole, kind="stable").tolist()
        assert len(set(few)) == len(set(whole))


def test_a_quick_look_at_photographs_is_at_small_ones():
    plan, quick = read_plan("photos"), read_plan("photos").quick()
    assert (plan.recipe.size, quick.recipe.size, quick.recipe.crop, quick.recipe.epochs) == (256, 96, 84, 6)
    assert quick.quick() is quick
    recipes = [quick.recipe_of(comparison, name) for comparison in quick.comparisons for name in comparison.everyone]
    assert {recipe.epochs for recipe in recipes} == {6}
    text = '[recipe]\nnet = "lenet"\n[quick]\ncrop = 40\nsize = 20\n[variants]\nplain = {}\nL2 = { l2 = 0.1 }\n'
    with pytest.raises(PlanError, match=r"line 3.*the quick look.*crop"):
        plan_from(PlanText(text + '[[comparison]]\nname = "1"\nbaseline = "plain"\nvariants = ["L2"]\n'))


def test_every_word_of_the_vocabulary_can_be_claimed(arrays, fake, tmp_path, no_pictures):
    "One claim a word, each through the whole way from TOML to a verdict."
    claims = []
    for word, rule in WORDS.items():
        extra = "".join({"since": "since = 2\n", "elsewhere": 'elsewhere = "2"\n'}[need] for need in rule.needs)
        claims.append(f'[[comparison.claim]]\nsays = "{word}"\nvariant = "BatchNorm"\nis = "{word}"\n{extra}')
    text = ('[recipe]\nnet = "lenet"\nepochs = 8\n[variants]\nplain = { norm = "none" }\nBatchNorm = {}\n'
            '[[comparison]]\nname = "1"\nbaseline = "plain"\nvariants = ["BatchNorm"]\n' + "".join(claims) +
            '[[comparison]]\nname = "2"\nbaseline = "plain"\nvariants = ["BatchNorm"]\nchange = { lr = 0.01 }\n')
    study = Study(plan_from(PlanText(text)), arrays, tmp_path / "out", seeds=4, runner=fake)
    study.run(0, show=False)
    assert [one.claim.word for one in study.verdicts] == list(WORDS)
    for one in study.verdicts:
        assert one.n == 4
        assert len(one.parts) == len(WORDS[one.claim.word].parts)
        assert re.match(r"(Holds|Contradicted|No difference|Undecided)", one.verdict.capitalize())


def test_a_name_too_long_for_the_first_screen_s_narrow_column_stands_behind_its_claim(done):
    page = (done["extras"].out / "report.html").read_text("utf-8")
    assert re.findall(r'<span class="from"[^>]*>([^<]*)</span>', page) == [""] * len(done["extras"].plan.claims)
    assert page.count("<small>optimizer</small>") == 5
    marks = re.findall(r'<span class="from"[^>]*>([^<]*)</span>', (done["lab"].out / "report.html").read_text("utf-8"))
    assert {"1", "7", "(a)", "(m)"} <= set(marks)
