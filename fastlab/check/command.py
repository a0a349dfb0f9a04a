"""What the command `fastlab check` prints and writes. `answer` is the command line's `Answer`."""
from pathlib import Path

from fastlab.check.clean import WITHOUT, write_clean
from fastlab.check.findings import KINDS, kinds_named, printable
from fastlab.check.folder import check
from fastlab.progress import Progress
from fastlab.strokes.dataset import named_or_default

SHOWN = 12                  # findings a kind that are printed; all are on the page and in the CSV


def check_command(answer, folder, labels=True, out=None, write_clean_to=None, without=None, fail_on=None, seed=0,
                  jobs=None, cache=None):
    """fastlab check: looks, prints, writes check.html and check.csv into `out` (by default a folder check-NAME here)
    and a clean copy where asked to; returns the exit code, 0 or 1. without, fail_on: kinds, 'leak,unreadable' or list.
    Raises FolderError, OptionError."""
    fail_on = None if fail_on is None else kinds_named("--fail-on", fail_on)
    without = WITHOUT if without is None else kinds_named("--without", without)
    folder = named_or_default(folder, answer.say)
    findings = check(folder, labels, seed, jobs, cache, Steps())
    for line in lines(findings):
        answer.say(line)
    out = Path(out) if out is not None else Path(f"check-{printable(Path(folder).resolve().name)}")
    findings.write_page(out / "check.html")
    findings.write_csv(out / "check.csv")
    answer.say(f"pictures: {out / 'check.html'}   table: {out / 'check.csv'}")
    figures = findings.to_dict() | {"page": str(out / "check.html"), "csv": str(out / "check.csv")}
    if write_clean_to is not None:
        kept, gone = write_clean(findings, write_clean_to, without)
        answer.say(f"clean copy: {write_clean_to}, {kept:,} files, {gone:,} left out ({', '.join(without)})")
        figures["clean"] = {"folder": str(write_clean_to), "kept": kept, "left_out": gone, "without": list(without)}
    answer.give(figures | {"exit_code": findings.exit_code(fail_on)})
    return findings.exit_code(fail_on)


def quote_findings(answer, folder):
    "What `fastlab check` finds in the files, in a few lines, before a training."
    findings = check(folder, labels=False)
    counts = ", ".join(f"{count} {kind}" for kind, count in findings.counts.items() if count) or "nothing"
    answer.say(f"check: {counts} (fastlab check {folder} shows the pictures)")


class Steps:
    "Shows one progress line for each step of a check."

    def __init__(self):
        self.name = self.line = None

    def __call__(self, name, done, total):
        if name != self.name:
            self.name, self.line = name, Progress(name)
        self.line(done, total)
        if done >= total:
            self.line.close()


def lines(findings):
    "What a person wants to read of a check, line by line."
    yield f"{printable(findings.folder)}: {findings.images:,} images, {len(findings):,} findings"
    yield from (f"  {note}" for note in findings.notes)
    for kind, meaning in KINDS.items():
        found = findings.of(kind)
        if found:
            yield f"{kind:<15} {len(found):>5,}  {meaning}"
            yield from (f"  {_first(finding)}{finding.reason}" for finding in found[:SHOWN])
            if len(found) > SHOWN:
                yield f"  … and {len(found) - SHOWN:,} more"
    if not len(findings):
        yield "nothing found"


def _first(finding):
    "The file that a line is about, and how many stand beside it."
    if not finding.files:
        return ""
    beside = len(finding.files) - 1
    more = "" if finding.kind in ("label", "unlike") or not beside else f" +{beside:,}"
    return f"{printable(finding.files[0])}{more}: "
