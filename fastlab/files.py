"""Files that are whole or not there: atomic writes, digests, natural order, and the place of caches."""
import errno
import hashlib
import json
import os
import re
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from fastlab.errors import StorageError

try:
    import fcntl
except ImportError:  # no such locks on Windows: what a killed process leaves half-written stays
    fcntl = None

_DIGITS = re.compile("([0-9]+)")


def natural_key(text):
    "Sorts as people count: '2' before '10', 'img2' before 'img10'; ties fall back to the text itself."
    text = str(text)
    parts = _DIGITS.split(text)  # letters and digits in turn, beginning with (perhaps no) letters
    parts[1::2] = map(int, parts[1::2])
    return parts, text


def storage_problem(path, error):
    "The StorageError that tells a person what an OSError on `path` means."
    cures = {errno.ENOSPC: "the disk is full; free some space or choose another place",
             errno.EDQUOT: "the disk quota is used up; free some space or choose another place",
             errno.EACCES: "permission denied; choose a place that you may write to",
             errno.EPERM: "permission denied; choose a place that you may write to",
             errno.EROFS: "the file system is read-only; choose another place",
             errno.ENOTDIR: "a part of this path is a file, not a folder",
             errno.EEXIST: "a part of this path is a file, not a folder",
             errno.EISDIR: "this is a folder, and a file is needed",
             errno.ENAMETOOLONG: "the name is too long for the file system"}
    return StorageError(f"{path}: {cures.get(error.errno, error.strerror or str(error))}.")


@contextmanager
def replacing(path, mode="wb", **options):
    """A file to write that takes the place of `path` only once it is whole: written beside it, synced, renamed.
    On any error or interruption `path` stays as it was; what a killed process left half-written beside it goes the
    next time. Raises StorageError where it cannot be written."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # a folder, or a device, which must not be replaced by a file
            raise StorageError(f"{path}: this is not an ordinary file. Name a file to write.")
        handle, beside = _beside(path)
    except OSError as error:
        raise storage_problem(path, error) from error
    held = os.dup(handle) if fcntl else None      # keeps the lock until the file has its name
    try:
        os.fchmod(handle, 0o666 & ~_umask())
        with os.fdopen(handle, mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        if error.filename not in (None, str(path), beside):
            raise  # of another file, which the caller read or wrote meanwhile
        raise storage_problem(path, error) from error
    finally:
        Path(beside).unlink(missing_ok=True)
        if held is not None:
            os.close(held)


def _beside(path):
    "(handle, name) of a new file beside `path`, locked while it is open; those that nobody writes any more go."
    start = f".{path.name[:40]}."
    while True:
        if fcntl:
            _remove_left(path.parent, start)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=start, suffix=".part")
        with suppress(OSError):     # a file system without locks: then nothing is removed either
            if fcntl:
                fcntl.flock(handle, fcntl.LOCK_EX)
        if os.path.exists(beside):
            return handle, beside
        os.close(handle)            # another process took it for one that was left, in the moment before the lock


def _remove_left(folder, start):
    "Removes the half-written files of this `start` whose writers are gone: their locks went with them."
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(start) and entry.name.endswith(".part")]
    for part in left:
        with suppress(OSError), open(part, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(part)


def _umask():
    "The process's umask, read without changing it where the system shows it."
    try:
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"^Umask:\s*(\d+)", status, re.M).group(1), 8)
    except (OSError, AttributeError):
        return 0o022


def write_bytes(path, content):
    "Writes `content` (bytes) to `path`, whole or not at all."
    with replacing(path) as file:
        file.write(content)


def write_text(path, content):
    "Writes `content` to `path` as UTF-8 with plain newlines, whole or not at all."
    write_bytes(path, content.encode("utf-8"))


def write_json(path, content):
    "Writes `content` as JSON, whole or not at all; the same content gives the same bytes."
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def digest(*parts):
    "SHA-256 in hex of bytes or texts, each with its length, so that no two lists of parts run together."
    total = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def digest_file(path):
    "SHA-256 in hex of a file's bytes."
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_home():
    "Where fastlab keeps what it can make again: $FASTLAB_CACHE, else the user's cache folder."
    named = os.environ.get("FASTLAB_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).expanduser() / "fastlab"
