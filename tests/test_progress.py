"""A line that renews itself on a terminal, plain lines now and then elsewhere."""
import io
import time

import pytest

from fastlab.progress import Progress, clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def passing(monkeypatch):
    "A clock that the test sets forward."
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def forward(seconds):
        now[0] += seconds
    return forward


@pytest.mark.parametrize(("seconds", "want"), [(0, "0:00"), (6.6, "0:07"), (83, "1:23"), (3600, "1:00:00"),
                                               (7384, "2:03:04"), (-5, "0:00")])
def test_seconds_are_written_as_people_write_them(seconds, want):
    assert clock(seconds) == want


def test_quick_work_prints_nothing_outside_a_terminal(passing):
    stream = io.StringIO()
    progress = Progress("Decoding image", stream)
    for done in range(9):
        passing(1)
        progress(done, 9)
    progress.close()
    assert stream.getvalue() == ""


def test_long_work_prints_a_plain_line_every_ten_seconds(passing):
    stream = io.StringIO()
    progress = Progress("Decoding image", stream)
    for done in range(1, 41):
        passing(1)
        progress(done, 60)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Decoding image 10 of 60, 0:50 left"
    assert len(lines) == 4
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_a_terminals_line_is_renewed_and_left_empty(passing):
    stream = Terminal()
    progress = Progress("Step", stream)
    for done in (500, 1000, 1500):
        passing(1)
        progress(done, 2000, note=", loss 0.5")
    progress.close()
    assert stream.getvalue().count("\n") == 0
    assert "Step 1,500 of 2,000, 0:01 left, loss 0.5" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_before_the_first_is_done_no_time_is_guessed(passing):
    stream = Terminal()
    progress = Progress("Step", stream)
    passing(5)
    progress(0, 10)
    assert stream.getvalue() == "\r\x1b[KStep 0 of 10"
