"""Where results live: one file a run, written whole, then renamed. What is there is held against its checksum; what is
damaged is kept aside and done again. Two studies may share a folder: a run in progress is locked by whoever does it.

No clock is read: nothing here depends on the time of a file."""
import json
import os
from contextlib import contextmanager
from pathlib import Path

from fastlab.errors import StorageError
from fastlab.files import storage_problem, write_bytes, write_json
from fastlab.study.record import DamagedRecord, decode, encode
from fastlab.training.result import Result

try:
    import fcntl
except ImportError:  # no such locks on Windows: two studies then may do the same run, with the same result
    fcntl = None


class Store:
    """The results below one folder. `damaged`: {file name: reason} of what was set aside since this Store was made."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.runs, self.busy, self.aside = (self.folder / name for name in ("runs", ".locks", "set-aside"))
        self.damaged = {}

    def _prepare(self):
        "Makes the folders that are written into: whoever only looks leaves nothing behind."
        try:
            for place in (self.runs, self.busy):
                place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_problem(self.folder, error) from error

    def path(self, key):
        return self.runs / f"{key}.run"

    def get(self, key):
        "(Result, told) of a finished run, or None; a damaged file is set aside and counts as not there."
        path = self.path(key)
        try:
            return decode(path.read_bytes(), key)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_problem(path, error) from error
        except (DamagedRecord, ValueError, KeyError, TypeError) as error:
            self._set_aside(path, str(error))
            return None

    def has(self, run):
        "Whether a run is done with at least its epochs and all its marks."
        found = self.get(run.key)
        return found is not None and covers(found[0], run)

    def keep(self, key, content):
        """Keeps the bytes of a finished run, joined with what is there of it: more epochs or other marks that another
        plan asked for. The note of an earlier failure goes. Raises StorageError."""
        if (there := self.get(key)) is not None:
            content = joined(key, there, decode(content, key), content)
        write_bytes(self.path(key), content)
        self._note(key).unlink(missing_ok=True)

    def fail(self, key, reason, told):
        "Notes that a run failed and why; a failed run is never done, and not tried again unless asked for."
        write_json(self._note(key), {"key": key, "reason": reason, "told": told})

    def failure(self, key):
        "Why a run failed, or None."
        try:
            return str(json.loads(self._note(key).read_text("utf-8"))["reason"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return "unknown: the note of its failure cannot be read"

    def forget_failure(self, key):
        self._note(key).unlink(missing_ok=True)

    def _note(self, key):
        return self.runs / f"{key}.failed.json"

    def _set_aside(self, path, reason):
        "Moves a damaged file away under a new name: nothing of the user's is deleted."
        try:
            self.aside.mkdir(parents=True, exist_ok=True)
            number = 1
            while (place := self.aside / f"{path.stem}.{number}{path.suffix}").exists():
                number += 1
            os.replace(path, place)
        except FileNotFoundError:
            return  # another study was quicker
        except OSError as error:
            raise storage_problem(path, error) from error
        self.damaged[path.name] = reason

    def take(self, key):
        """The right to do a run: a handle whose `close` gives it back, or None while another study has it. It is the
        system's own lock: it goes when its process does, however that ends."""
        if fcntl is None:
            return _NoLock()
        self._prepare()
        path = self.busy / f"{key}.lock"
        try:
            handle = open(path, "ab")  # noqa: SIM115
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                return None
            return _Lock(handle, path)
        except OSError as error:
            raise storage_problem(path, error) from error

    @contextmanager
    def alone(self):
        "For what only one study may write at a time, such as the report."
        self._prepare()
        with (self.busy / "report.lock").open("ab") as handle:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield


class _Lock:
    "A lock file that stays: removing it could let two studies lock two files of one name."

    def __init__(self, handle, path):
        self.handle, self.path = handle, path

    def close(self):
        self.handle.close()


class _NoLock:
    def close(self):
        return


def length(result):
    "How many epochs a Result has."
    return len(next(iter(result.epochs.values()), ()))


def covers(result, run):
    "Whether a Result is long enough for a run and has the predictions at all its marks."
    return length(result) >= run.recipe.epochs and set(run.marks) <= set(result.marks)


def joined(key, old, new, content):
    """The bytes of two results of one run, (Result, told) each: the epochs of the longer one, of which the other is the
    start, and the marks of both. `content`: the new one's bytes, given back where it lacks nothing of the old."""
    (one, _), (other, _) = old, new
    if length(one) <= length(other) and set(one.marks) <= set(other.marks):
        return content
    longer, told = max(new, old, key=lambda each: length(each[0]))
    machine = {name: both(value, other.machine.get(name, value)) for name, value in {**other.machine,
                                                                                     **one.machine}.items()}
    return encode(key, Result(longer.epochs, {**one.marks, **other.marks}, machine, longer.seconds), told)


def both(one, other):
    "Two words for what results were made on as one: 'cpu and cuda'; a word that both have stands once."
    return one if one == other else " and ".join(dict.fromkeys(f"{one} and {other}".split(" and ")))


def check_free(folder):
    "Raises StorageError where `folder` cannot be a study's: a file, or a folder that holds other things."
    folder = Path(folder)
    if folder.is_file():
        raise StorageError(f"--out {folder}: this is a file. Name a folder.")
    others = folder.is_dir() and any(path.name != ".locks" for path in folder.iterdir())
    if others and not (folder / "runs").is_dir():
        raise StorageError(f"--out {folder}: this folder holds other things, and no study. Name a new or empty one.")
