"""Progress of long work: a line that renews itself on a terminal, now and then a plain line elsewhere."""
import sys
import time

PLAIN_EVERY = 10.0              # seconds between two plain lines
TERMINAL_EVERY = 0.2            # seconds between two renewals


def clock(seconds):
    "Seconds as people write them: 0:07, 1:23, 2:03:04."
    seconds = max(0, round(seconds))
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Progress:
    """Shows how far work is: `progress(done, total)`. On a terminal one line is renewed; elsewhere a line is printed
    every ten seconds, so quick work prints nothing. `close` leaves the terminal's line empty."""

    def __init__(self, what, stream=None):
        self.what, self.stream = what, stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.begun = self.shown = time.monotonic()
        self.open = False

    def __call__(self, done, total, note=""):
        now = time.monotonic()
        if now - self.shown < (TERMINAL_EVERY if self.terminal else PLAIN_EVERY):
            return
        self.shown = now
        left = f", {clock((now - self.begun) / done * (total - done))} left" if done else ""
        line = f"{self.what} {done:,} of {total:,}{left}{note}"
        if self.terminal:
            self.stream.write(f"\r\x1b[K{line}")
            self.open = True
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def close(self):
        "Empties the line on a terminal."
        if self.open:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
            self.open = False
