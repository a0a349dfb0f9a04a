import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fastlab.errors import OptionError, StorageError
from fastlab.pictures import style
from fastlab.pictures.curves import accuracy


@style.picture
def line(values, ax=None):
    ax = style.blank(ax)
    ax.plot(values, label="学")
    ax.set_title("a title")
    ax.legend()
    return ax


def test_the_users_settings_are_left_as_they_were():
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 31}):
        before = dict(matplotlib.rcParams)
        ax = line([1, 2])
        assert dict(matplotlib.rcParams) == before
        assert ax.title.get_fontsize() == 10
        assert ax.get_facecolor()[:3] == (1, 1, 1)


def test_no_figure_is_left_with_pyplot():
    import matplotlib.pyplot as plt
    line([1, 2])
    assert plt.get_fignums() == []


def test_a_given_axes_is_drawn_on():
    ax = Figure().subplots()
    assert line([3, 4], ax=ax) is ax
    assert list(ax.lines[0].get_ydata()) == [3, 4]


def test_something_else_than_axes_is_refused():
    with pytest.raises(OptionError, match="ax: Figure is not"):
        line([1, 2], ax=Figure())


def test_titles_count():
    assert style.counted("Accuracy", 1488) == "Accuracy (n = 1,488 images)"
    assert style.counted("Accuracy", 1) == "Accuracy (n = 1 image)"
    assert style.counted("Mean", [5, 10], "seeds") == "Mean (n = 5–10 seeds)"


def test_per_cent_is_written_as_people_write_it():
    ax = line([0.9, 1.0])
    style.percent(ax.yaxis)
    form = ax.yaxis.get_major_formatter()
    assert [form(value, None) for value in (0.95, 0.995, 1, 0.1 + 0.2)] == ["95", "99.5", "100", "30"]


@pytest.mark.parametrize(("low", "high", "told"), [
    (0.012, 0.05, ["1.5", "2", "3", "5"]), (0.0041, 0.41, ["0.5", "1", "2", "5", "10", "20"]),
    (1e-9, 0.4, ["1e−07", "1e−05", "0.001", "0.1", "10"]), (0.91, 0.99, ["92", "94", "96", "98"])])
def test_a_logarithmic_axis_has_few_plain_numbers(low, high, told):
    ax = line([low, high])
    ax.set_yscale("log")
    style.percent(ax.yaxis)
    ax.set_ylim(low, high)
    ax.figure.draw_without_rendering()
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ticks == told
    assert not len(ax.yaxis.get_minorticklocs())


def test_saved_files_hold_no_date_and_repeat_to_the_byte(tmp_path):
    for form in ("svg", "png"):
        first = style.save(line([1, 3, 2]).figure, tmp_path / f"one.{form}").read_bytes()
        second = style.save(line([1, 3, 2]), tmp_path / f"two.{form}").read_bytes()
        assert first == second
        assert b"dc:date" not in first
        assert b"Software" not in first
    assert Image.open(tmp_path / "one.png").size == (1024, 640)


def test_texts_in_svg_are_outlines_that_need_no_font(tmp_path):
    drawn = style.save(line([1, 2]), tmp_path / "a.svg").read_text()
    assert "<text" not in drawn


def test_an_array_of_axes_is_saved_as_its_figure(tmp_path):
    axes = style.blanks(1, 2, (3, 2))
    assert Image.open(style.save(axes, tmp_path / "a.png")).size == (480, 320)


def test_axes_on_a_part_of_a_figure_save_the_whole_of_it(tmp_path):
    figure = Figure(figsize=(4, 2))
    part = figure.subfigures(1, 2)[0]
    assert Image.open(style.save(line([1, 2], ax=part.subplots()), tmp_path / "a.png")).size == (640, 320)


def test_another_ending_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(OptionError, match=r"a\.jpg: pictures are written as \.png or \.svg"):
        style.save(line([1, 2]), tmp_path / "a.jpg")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    ax = line([1, 2])

    def full(*_, **__):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(StorageError, match="disk is full"):
        style.save(ax, path)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_colours_can_be_told_apart_in_grey():
    grey = [np.dot(matplotlib.colors.to_rgb(colour), (0.2126, 0.7152, 0.0722)) for colour in style.COLOURS]
    assert max(grey) < 0.72                                    # none too pale for white paper
    assert len(set(map(str, style.DASHES))) == len(style.COLOURS)     # and lines differ by their dashes as well


def test_one_look_in_many_threads():
    from concurrent.futures import ThreadPoolExecutor
    before = dict(matplotlib.rcParams)
    with ThreadPoolExecutor(8) as pool:
        axes = list(pool.map(lambda k: accuracy([0.1 * k, 0.9]), range(8)))
    assert [ax.lines[0].get_ydata()[0] for ax in axes] == pytest.approx([0.1 * k for k in range(8)])
    assert dict(matplotlib.rcParams) == before
