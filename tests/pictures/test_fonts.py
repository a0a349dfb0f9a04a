import warnings
from io import BytesIO

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from fastlab.pictures import fonts
from fastlab.pictures.style import look

FOLDERS = [str(k) for k in range(1, 4)]


def drawn_without_warning(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for form in ("png", "svg"):
            figure.savefig(BytesIO(), format=form)


def test_characters_are_shown_where_a_font_has_them(with_han):
    assert fonts.shown(["博", "学", "笃"], FOLDERS) == ["博", "学", "笃"]
    assert fonts.families("a 学") == ["DejaVu Sans", "Test Han"]
    assert fonts.families("plain → text") == ["DejaVu Sans"]


def test_folder_names_stand_in_where_no_font_has_the_character(only_dejavu):
    assert fonts.shown(["博", "学", "cat"], FOLDERS) == ["1", "2", "cat"]
    assert fonts.shown({"1": "博", "b": "dog"}) == ["1", "dog"]


def test_code_points_stand_in_where_the_folder_is_unreadable_too(only_dejavu):
    assert fonts.shown(["学"]) == ["U+5B66"]
    assert fonts.shown(["学校里"], ["学校"]) == ["U+5B66 U+6821 …"]


def test_a_character_that_only_one_of_two_has_is_not_drawn_half(with_han):
    assert fonts.shown(["学校"], ["7"]) == ["7"]


def test_labels_start_no_formula_and_hold_no_control_characters(only_dejavu):
    label, = fonts.shown(["a$b$\nc"])
    assert label == r"a\$b\$ c"
    figure = Figure()
    text = figure.text(0, 0, label)
    figure.draw_without_rendering()
    assert text._preprocess_math(label) == ("a$b$ c", False)


def test_long_names_are_cut():
    assert fonts.shown(["x" * 30], longest=10) == ["x" * 9 + "…"]


@pytest.mark.parametrize("machine", ["only_dejavu", "with_han"])
def test_fault_16_ticks_titles_and_legends_draw_every_glyph(machine, request):
    request.getfixturevalue(machine)
    label, = fonts.shown(["学"], ["2"])
    with look():
        ax = Figure().subplots()
        ax.plot([0, 1], [0, 1], label=label)
        ax.set(title=f"{label} − ✓ ✗ → × ±", xlabel=label)
        ax.set_xticks([0, 1], [label, "b"])
        ax.text(0, 0, label)
        ax.legend()
        fonts.dress(ax)
    drawn_without_warning(ax.figure)


def test_texts_that_no_folder_name_can_stand_for_are_spelled(only_dejavu):
    ax = Figure().subplots()
    ax.set_title("学 −1")
    ax.set_xticks([0], ["学"])
    ax.figure.suptitle("→ 学")
    fonts.dress(ax)
    assert ax.get_title() == "[U+5B66] −1"
    assert ax.figure.get_suptitle() == "→ [U+5B66]"
    drawn_without_warning(ax.figure)


def test_an_undressed_text_would_warn(with_han):
    figure = Figure()
    figure.text(0, 0, "学", fontfamily=["DejaVu Sans"])
    with pytest.raises(UserWarning, match="missing from font"):
        drawn_without_warning(figure)


def test_fonts_that_claim_all_and_draw_nothing_are_not_asked():
    assert not any(name.startswith(fonts.EMPTY) for name in fonts.family_names())
    assert fonts.family_names()[0] == "DejaVu Sans"


def test_a_font_installed_after_matplotlib_made_its_list_is_found(monkeypatch, tmp_path):
    from .conftest import write_font
    listed = list(font_manager.fontManager.ttflist)
    path = str(write_font(tmp_path / "late.ttf", "Late Font", [chr(0xF8F0)]))
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [path])
    fonts.forget()
    try:
        assert fonts.families(chr(0xF8F0)) == ["DejaVu Sans", "Late Font"]
    finally:
        font_manager.fontManager.ttflist[:] = listed
        fonts.forget()


def test_a_font_file_that_cannot_be_read_is_passed_over(monkeypatch, tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [str(broken)])
    fonts.forget()
    assert fonts.readable("a")
    assert not fonts.readable(chr(0xF8F1))
    fonts.forget()
