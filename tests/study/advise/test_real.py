"""A whole search with real trainings, small ones, on drawn strokes, as the command line starts it."""
import json
import re

import pytest

import fastlab
from fastlab.cli import run
from fastlab.recipeoptions import recipe_from
from fastlab.strokes.dataset import draw_folder
from fastlab.study.advise import budget


def test_advice_on_drawn_strokes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(budget.RunBudget, "epochs", lambda self, plain: 3)
    folder = draw_folder(tmp_path / "strokes", train=20, develop=6, test=8)
    arguments = ["advise", str(folder), "--runs", "24", "--jobs", "0", "--out", str(tmp_path / "out"), "--json",
                 "--save", str(tmp_path / "net.safetensors")]
    assert run(arguments) == 0
    output = capsys.readouterr()
    told = json.loads(output.out.strip().splitlines()[-1])
    use, reached, sure = output.err.strip().splitlines()[-3:]
    assert use.startswith("Use ")
    assert f"{100 * told['accuracy']:.2f} %" in reached
    assert "n = " in reached or told["gain"] == 0
    assert told["page"] in sure
    assert {"recipe", "accuracy", "interval", "n", "gain", "model", "page", "seconds"} <= set(told)
    model = fastlab.load_model(told["model"])
    tested = fastlab.test(model, folder)
    assert (tested.accuracy, tested.n) == (told["accuracy"], told["n"]) == (model.tested["accuracy"], 12 * 8)
    assert list(tested.interval) == pytest.approx(told["interval"])
    recipe = recipe_from({}, file=tmp_path / "out" / "recipe.toml")
    assert model.recipe == recipe.changed(on="total_train").resolved(1, 28, model.recipe.precision)
    assert told["folder"]["straight"] > 1 / 12
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "What fits strokes" in page
    assert re.search(r"""(src|href)=["']?(https?:|//|file:)|url\((?!#)|@import|<script""", page) is None
    assert run(arguments) == 0  # all is there: the answer is given again, and nothing is trained
    again = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert {name: one for name, one in again.items() if name != "seconds"} == \
        {name: one for name, one in told.items() if name != "seconds"}
    assert run([*arguments[:-1], str(tmp_path / "copy.safetensors")]) == 0
    assert (tmp_path / "copy.safetensors").read_bytes() == (tmp_path / "net.safetensors").read_bytes()
