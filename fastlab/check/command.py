"""What the command `fastlab check` prints and writes. `answer` is the command line's `Answer`."""
from pathlib import Path

from fastlab.check.clean import WITHOUT, check_place, write_clean
from fastlab.check.findings import KINDS, kinds_named, printable
from fastlab.check.folder import check
from fastlab.images.place import place_for
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
    out = place_for(out, f"check-{printable(Path(folder).resolve().name)}", folder)
    if write_clean_to is not None:
        check_place(folder, write_clean_to, out)
    findings = check(folder, labels, seed, jobs, cache, Steps())
    for line in lines(findings):
        answer.say(line)
    findings.write_page(out / "check.html")
    findings.write_csv(out / "check.csv")
    answer.say(printable(f"pictures: {out / 'check.html'}   table: {out / 'check.csv'}"))
    figures = findings.to_dict() | {"page": printable(out / "check.html"), "csv": printable(out / "check.csv")}
    if write_clean_to is not None:
        kept, gone = write_clean(findings, write_clean_to, without)
        answer.say(printable(f"clean copy: {write_clean_to}, {kept:,} files, {gone:,} left out ({', '.join(without)})"))
        figures["clean"] = {"folder": printable(write_clean_to), "kept": kept, "left_out": gone,
                            "without": list(without)}
    answer.give(figures | {"exit_code": findings.exit_code(fail_on)})
    return findings.exit_code(fail_on)


def quote_findings(answer, folder):
    "Says, and returns for a report, what `fastlab check` finds in the files of a folder before a training."
    findings = check(folder, labels=False)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in findings.counts.items() if count) or "nothing"
    answer.say(printable(f"check: {counts} (fastlab check {folder} shows the pictures)"))
    return f"fastlab check found in its files: {counts}."


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
    "What a person wants to read of a check, line by line; what a terminal would take for a command is escaped."
    return ("".join(map(_visible, line)) for line in _lines(findings))


def _visible(letter):
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def _lines(findings):
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
