"""The page: one file, no other address, nothing of a stranger's that acts; and the command that writes it."""
import json

import numpy as np
import pytest

from fastlab.cli import run
from fastlab.pictures.explain import page, sections
from fastlab.pictures.explain.page import is_ours, render, visible
from fastlab.pictures.explain.section import Section, Table, percent, plain, text_of

HOSTILE = '<script>alert("x")</script>', "a & b\u202etxt", '" onload="alert(1)', "学"


def test_names_from_strangers_do_not_act(tags_of):
    section = Section("maps", HOSTILE[0], HOSTILE, (), (Table.of(HOSTILE, [HOSTILE]),), {}, HOSTILE)
    gone = Section("lrn", HOSTILE[2], left_out=HOSTILE[0])
    text = render(HOSTILE[0], (("classes", " · ".join(HOSTILE)),), [section, gone])
    seen = tags_of(text)
    assert "script" not in {tag for tag, _ in seen.tags}
    assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)
    assert "\u202e" not in text
    assert "学" in text
    assert any('<script>alert("x")</script>' in part for part in seen.texts)


def test_control_characters_are_shown_and_not_obeyed():
    assert visible("a\x1b[31mb\u200e\ud800") == "a�[31mb��"
    assert visible(7) == 7


def test_the_command_writes_the_page_and_gives_its_figures(quick, model_file, split_shapes, tmp_path, monkeypatch,
                                                           capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sections, "MAKERS", sections.MAKERS[:2])
    assert run(["explain", str(model_file), str(split_shapes), "--json"]) == 0
    told, said = capsys.readouterr()
    figures = json.loads(told)
    assert figures["page"] == "explain-small.html"
    assert is_ours(tmp_path / "explain-small.html")
    assert [path.name for path in tmp_path.iterdir()] == ["explain-small.html"]
    assert "The shape at every step" in said
    assert {"name", "shape", "receptive_field", "effective_receptive_field", "parameters", "multiplications"} == \
        set(figures["layers"][0])


def test_a_page_of_the_users_own_is_not_overwritten(model_file, split_shapes, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "explain-small.html").write_text("mine")
    assert run(["explain", str(model_file), str(split_shapes), "--json"]) == 2
    assert "--out" in json.loads(capsys.readouterr().out)["error"]
    assert (tmp_path / "explain-small.html").read_text() == "mine"


def test_mistakes_end_with_2(split_shapes, model_file, tmp_path, capsys):
    out = ["--out", str(tmp_path / "a.html")]
    assert run(["explain", str(tmp_path / "none.safetensors"), str(split_shapes), *out]) == 2
    assert run(["explain", str(model_file), str(tmp_path / "none"), *out]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "none" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["measuring", "drawing"])
def test_ctrl_c_leaves_the_old_page_and_nothing_half_written(quick, model_file, split_shapes, tmp_path, monkeypatch,
                                                             where):
    out = tmp_path / "page.html"
    out.write_text("before")

    def stop(*_):
        raise KeyboardInterrupt
    if where == "measuring":
        monkeypatch.setattr(sections, "MAKERS", (*sections.MAKERS[:2], stop))
    else:
        monkeypatch.setattr(sections, "MAKERS", sections.MAKERS[:2])
        monkeypatch.setattr(page, "inlined", stop)
    assert run(["explain", str(model_file), str(split_shapes), "--out", str(out)]) == 130
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (float("nan"), "–"), (1234, "1,234"), (1234.0, "1,234"), (0.01234, "0.0123"), (-0.5, "−0.5"),
    (123.4, "123"), (1e-7, "1e−07"), ("as it is", "as it is")])
def test_numbers_as_people_read_them(value, text):
    assert text_of(value) == text


def test_figures_as_json_has_them():
    found = plain({"a": (np.float32(0.5), np.nan, np.int64(3)), 4: [True, None]})
    assert found == {"a": [0.5, None, 3], "4": [True, None]}
    assert percent(0.1234) == "12.3 %"
