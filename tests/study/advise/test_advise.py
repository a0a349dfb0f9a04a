"""The whole way with made-up trainings: answers that repeat, resume and stop, and a test split that nothing can see."""
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from quick_search import labelled

from fastlab.errors import FolderError, OptionError, StorageError
from fastlab.recipeoptions import recipe_from
from fastlab.study.advise import advise
from fastlab.study.advise import final as final_part
from fastlab.study.advise.notes import Notes
from fastlab.study.advise.space import PLAIN
from fastlab.study.advise.trials import TrialRunner
from fastlab.study.planfile import read_plan
from fastlab.training import figures

RUNS = 60


@pytest.fixture
def arrays():
    return labelled(800, test=200)


@pytest.fixture
def handed_over(monkeypatch):
    "Networks made up; `seen` collects what they were trained on and every reading of the test split."
    seen = SimpleNamespace(trained=[], readings=0)

    def finish(arrays, recipe, seed, ensemble, path, device, cache, notes, tell):
        seen.trained.append((arrays, recipe, ensemble))
        paths = final_part.member_paths(path, ensemble)
        for place in paths:
            place.write_bytes(b"a network")
        return [SimpleNamespace(tested={})] * ensemble, paths

    def tested(models, arrays):
        seen.readings += 1
        truth = arrays.labels[arrays.splits["test"]]
        shares = np.full((len(truth), len(arrays.classes)), 0.1, np.float32)
        shares[np.arange(len(truth)), (truth + (np.arange(len(truth)) % 50 == 0)) % len(arrays.classes)] = 0.7
        return figures.Tested(truth, shares, arrays.classes, arrays.names, arrays.files)

    monkeypatch.setattr("fastlab.training.test.test", tested)
    monkeypatch.setattr("fastlab.training.modelfile.save_model", lambda path, model: None)
    seen.finish = finish
    return seen


def advised(arrays, out, handed_over, world="pays", **options):
    options = {"runs": RUNS, "jobs": 0, "show": False} | options
    return advise(arrays, out=out, runner=TrialRunner(f"planted_runner:{world}"), finish=handed_over.finish, **options)


def told(advice):
    "What an answer says, without the clock and the place."
    return {name: one for name, one in advice.to_dict().items()
            if name not in ("seconds", "page", "model", "models", "recipe_file", "plan_file")}


def test_the_answer_has_all_that_was_promised(arrays, tmp_path, handed_over):
    advice = advised(arrays, tmp_path / "out", handed_over)
    figures = advice.to_dict()
    assert {"recipe", "accuracy", "interval", "n", "gain", "model", "page", "seconds"} <= set(figures)
    json.dumps(figures, allow_nan=False)
    assert figures["n"] == 200
    assert figures["accuracy"] == pytest.approx(0.98)
    assert figures["recipe"]["augment"] == "handwriting"
    assert figures["recipe"]["schedule"] == "one-cycle"
    assert figures["gain_interval"][0] < figures["gain"] < figures["gain_interval"][1]
    assert advice.page.is_file()
    blind, recipe, _ = handed_over.trained[0]
    assert recipe == advice.recipe
    assert not blind.labels[arrays.splits["test"]].any()


def test_recipe_and_plan_are_read_by_train_and_study(arrays, tmp_path, handed_over):
    advice = advised(arrays, tmp_path / "out", handed_over)
    assert recipe_from({}, file=advice.out / "recipe.toml") == advice.recipe
    plan = read_plan(advice.out / "plan.toml")
    comparison = plan.comparison("advice")
    assert plan.recipe_of(comparison, "plain") == advice.found.plain
    assert plan.recipe_of(comparison, "advised") == advice.recipe
    assert {claim.word for claim in plan.claims} == {"more accurate", "less accurate"}


def test_where_plain_is_the_answer_its_plan_holds_it_against_the_winner(arrays, tmp_path, handed_over):
    advice = advised(arrays, tmp_path / "out", handed_over, "harms")
    assert advice.recipe == advice.found.plain
    assert (advice.gain, advice.gain_interval) == (0.0, [0.0, 0.0])
    plan = read_plan(advice.out / "plan.toml")
    assert plan.recipe_of(plan.comparison("advice"), "challenger") == advice.found.winner


def test_the_same_call_gives_the_same_answer_in_any_number_of_processes(arrays, tmp_path, handed_over):
    one = advised(arrays, tmp_path / "one", handed_over)
    assert told(advised(arrays, tmp_path / "two", handed_over)) == told(one)
    assert told(advised(arrays, tmp_path / "three", handed_over, jobs=2)) == told(one)
    assert told(advised(arrays, tmp_path / "four", handed_over, seed=1)) != told(one)


@pytest.mark.parametrize("after", [3, 20, 45])
def test_stopped_and_gone_on_with_it_is_the_same_answer_and_nothing_is_done_twice(arrays, tmp_path, handed_over, after,
                                                                                   monkeypatch):
    whole = advised(arrays, tmp_path / "whole", handed_over)
    log = tmp_path / "log"
    monkeypatch.setenv("PLANTED_LOG", str(log))
    monkeypatch.setenv("PLANTED_STOP_AFTER", str(after))
    readings = handed_over.readings
    with pytest.raises(KeyboardInterrupt):
        advised(arrays, tmp_path / "cut", handed_over)
    assert handed_over.readings == readings
    monkeypatch.delenv("PLANTED_STOP_AFTER")
    again = advised(arrays, tmp_path / "cut", handed_over)
    assert told(again) == told(whole)
    assert len(log.read_text().splitlines()) == len(whole.race.bench.log) + 2  # the one cut short, and the mirror's


def test_ctrl_c_leaves_the_best_so_far_and_says_that_it_is_not_sure(arrays, tmp_path, handed_over, monkeypatch, capsys):
    monkeypatch.setenv("PLANTED_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("PLANTED_STOP_AFTER", "30")
    with pytest.raises(KeyboardInterrupt):
        advised(arrays, tmp_path / "out", handed_over, show=True)
    said = capsys.readouterr().err
    assert "Stopped in the" in said
    assert "augmentation handwriting" in said
    assert "has not been read" in said
    assert "stopped before its end" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert recipe_from({}, file=tmp_path / "out" / "recipe.toml").augment == "handwriting"
    assert handed_over.readings == 0


def test_before_the_first_round_is_complete_ctrl_c_leaves_no_page(arrays, tmp_path, handed_over, monkeypatch):
    monkeypatch.setenv("PLANTED_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("PLANTED_STOP_AFTER", "2")
    with pytest.raises(KeyboardInterrupt):
        advised(arrays, tmp_path / "out", handed_over)
    assert not (tmp_path / "out" / "report.html").exists()


def test_poisoned_test_labels_change_nothing_but_the_reading_at_the_end(arrays, tmp_path, handed_over):
    poisoned = arrays.labels.copy()
    rows = arrays.splits["test"]
    poisoned[rows] = np.random.default_rng(0).permutation(poisoned[rows])
    clean = advised(arrays, tmp_path / "clean", handed_over)
    dirty = advised(replace(arrays, labels=poisoned), tmp_path / "dirty", handed_over)
    of_the_reading = {"accuracy", "interval", "gain", "gain_interval"}
    assert {name for name, one in told(clean).items() if told(dirty)[name] != one} <= of_the_reading
    assert sorted(path.name for path in (tmp_path / "clean" / "runs").iterdir()) == \
        sorted(path.name for path in (tmp_path / "dirty" / "runs").iterdir())
    assert handed_over.trained[0][0].digest == handed_over.trained[1][0].digest
    assert clean.gain != dirty.gain


def test_the_test_split_is_read_once_however_often_the_command_is_given(arrays, tmp_path, handed_over):
    first = advised(arrays, tmp_path / "out", handed_over)
    assert handed_over.readings == 1
    assert told(advised(arrays, tmp_path / "out", handed_over)) == told(first)
    assert handed_over.readings == 1
    assert len(handed_over.trained) == 1


def test_damaged_notes_and_runs_are_made_good(arrays, tmp_path, handed_over):
    first = advised(arrays, tmp_path / "out", handed_over)
    notes = next((tmp_path / "out").glob("search-*.json"))
    notes.write_text(notes.read_text()[:100])
    run = sorted((tmp_path / "out" / "runs").glob("*.run"))[7]
    run.write_bytes(run.read_bytes()[:-9])
    assert told(advised(arrays, tmp_path / "out", handed_over)) == told(first)


def test_another_question_in_the_same_folder_has_an_answer_of_its_own(arrays, tmp_path, handed_over):
    first = advised(arrays, tmp_path / "out", handed_over)
    other = advised(arrays, tmp_path / "out", handed_over, runs=30)
    assert len(other.race.bench.log) <= 30 < len(first.race.bench.log)
    assert len(list((tmp_path / "out").glob("search-*.json"))) == 2


def test_recipes_that_fail_are_named_and_the_search_goes_on(arrays, tmp_path, handed_over, monkeypatch):
    monkeypatch.setenv("PLANTED_FAILS", "sgd")
    advice = advised(arrays, tmp_path / "out", handed_over)
    failed = [recipe for recipe, fate in advice.race.fates.items() if fate.why.startswith("failed: ")]
    assert failed
    assert all(recipe.optimizer == "sgd" for recipe in failed)
    assert advice.recipe.augment == "handwriting"
    assert "not finite" in advice.page.read_text("utf-8")


def test_an_ensemble_is_trained_and_named(arrays, tmp_path, handed_over):
    advice = advised(arrays, tmp_path / "out", handed_over, ensemble=3, save=tmp_path / "net.safetensors")
    assert [path.name for path in advice.models] == ["net-1.safetensors", "net-2.safetensors", "net-3.safetensors"]
    assert handed_over.trained[0][2] == 3


@pytest.mark.parametrize(("options", "words"), [
    ({"runs": 5}, "runs: 5"), ({"runs": None, "minutes": 0}, "minutes: 0"), ({"jobs": -1}, "jobs: -1"),
    ({"ensemble": 0}, "ensemble: 0"), ({"seed": 1.5}, "seed: 1.5"), ({"runs": True}, "runs: True")])
def test_options_outside_their_rule_are_named(arrays, tmp_path, handed_over, options, words):
    with pytest.raises(OptionError, match=words):
        advised(arrays, tmp_path / "out", handed_over, **options)


def test_folders_that_cannot_be_advised_on(arrays, tmp_path, handed_over):
    with pytest.raises(FolderError, match="no test split"):
        advised(arrays.with_splits(test=np.zeros(0, int)), tmp_path / "out", handed_over)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("not to be touched")
    with pytest.raises(StorageError, match="holds other things"):
        advised(arrays, tmp_path / "full", handed_over)


def test_a_network_that_is_wanted_elsewhere_or_gone_is_handed_over_without_another_reading(arrays, tmp_path,
                                                                                           handed_over):
    first = advised(arrays, tmp_path / "out", handed_over)
    elsewhere = tmp_path / "net.safetensors"
    again = advised(arrays, tmp_path / "out", handed_over, save=elsewhere)
    assert elsewhere.is_file()
    assert again.models == (elsewhere,)
    elsewhere.unlink()
    assert told(advised(arrays, tmp_path / "out", handed_over, save=elsewhere)) == told(again) == told(first)
    assert elsewhere.is_file()
    page = first.page.read_bytes()

    def stops(*given):
        raise KeyboardInterrupt

    handed_over.finish = stops
    with pytest.raises(KeyboardInterrupt):
        advised(arrays, tmp_path / "out", handed_over, save=tmp_path / "third.safetensors")
    assert first.page.read_bytes() == page      # what was found does not become "stopped, and test has not been read"
    assert handed_over.readings == 1


@pytest.mark.parametrize(("seed", "said"), [(0, "among those of the search"), (1, "others than those of the search")])
def test_the_plan_says_whether_its_seeds_are_the_searchs_own(arrays, tmp_path, handed_over, seed, said):
    advice = advised(arrays, tmp_path / "out", handed_over, runs=24, seed=seed)
    own = {trial.seed for trial, _ in advice.race.bench.log.values()}
    assert bool(own & set(range(read_plan(advice.out / "plan.toml").seeds))) is (seed == 0)
    assert said in (advice.out / "plan.toml").read_text("utf-8")


def test_where_a_network_cannot_be_saved_is_said_before_the_search(arrays, tmp_path, handed_over):
    (tmp_path / "net-2.safetensors").mkdir()
    with pytest.raises(OptionError, match=r"--save .*net-2\.safetensors: this is a folder"):
        advised(arrays, tmp_path / "out", handed_over, save=tmp_path / "net.safetensors", ensemble=2)
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_among_the_images(arrays, tmp_path, handed_over, monkeypatch):
    (tmp_path / "images" / "1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "images")
    arrays = replace(arrays, root=tmp_path / "images")
    with pytest.raises(OptionError, match="in the folder of images"):
        advised(arrays, tmp_path / "images" / "out", handed_over)
    assert advised(arrays, None, handed_over, runs=24).out == tmp_path.resolve() / "advice-images"
    with pytest.raises(OptionError, match="among the images"):
        advised(arrays, tmp_path / "other", handed_over, save="1/net.safetensors")
    assert [path.name for path in (tmp_path / "images").rglob("*")] == ["1"]
    assert not (tmp_path / "other").exists()


def test_files_are_trained_copied_or_read_again_by_what_the_notes_know_of_them(arrays, tmp_path, monkeypatch):
    trained = []

    def train(arrays, recipe, seed, save, *given, **options):
        trained.append(seed)
        save.write_bytes(b"network %d" % seed)
        return SimpleNamespace(model=SimpleNamespace())

    monkeypatch.setattr("fastlab.training.train.train", train)
    monkeypatch.setattr("fastlab.training.modelfile.load_model", lambda path: path.read_bytes())
    monkeypatch.setattr("fastlab.training.modelfile.save_model", lambda path, model: path.write_bytes(b"tested"))
    notes = Notes(tmp_path, {})

    def networks(name, ensemble=1, recipe=PLAIN):
        return final_part.networks(arrays, recipe, 0, ensemble, tmp_path / name, "cpu", None, notes, lambda *what: None)

    models, paths = networks("net", 2)
    final_part.say_tested(models, paths, {"accuracy": 0.9, "interval": [0, 1], "n": 9, "alone": [0.9, 0.8]}, PLAIN,
                          notes)
    assert trained == [0, 1]
    assert networks("net", 2)[0] == [b"tested"] * 2     # the files that the test's figures were written into
    assert networks("other")[0] == [b"tested"]          # copied
    assert (tmp_path / "other").read_bytes() == b"tested"
    assert trained == [0, 1]
    (tmp_path / "other").write_bytes(b"damaged")
    networks("other")
    networks("other", recipe=PLAIN.changed(epochs=3))   # another Recipe's network is another
    assert trained == [0, 1, 0, 0]
