"""Files are whole or as they were; order is natural; digests tell every difference."""
import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fastlab.errors import StorageError
from fastlab.files import (
    cache_home,
    digest,
    digest_file,
    natural_key,
    replacing,
    storage_problem,
    write_bytes,
    write_json,
    write_text,
)


def runs(text):
    "A text as runs of digits and of other letters: numbers by their value, before letters."
    parts = ["".join(run) for _, run in groupby(text, lambda letter: letter in "0123456789")]
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts], text


def test_two_comes_before_ten():
    names = ["10", "2", "img10.png", "img2.png", "1", "a", "img2b", "img"]
    assert sorted(names, key=natural_key) == ["1", "2", "10", "a", "img", "img2.png", "img2b", "img10.png"]


@given(some.lists(some.text("ab12.0-", max_size=6), max_size=8))
def test_natural_order_is_that_of_runs_of_digits_and_letters(names):
    assert sorted(names, key=natural_key) == sorted(names, key=runs)


def test_names_that_count_alike_have_an_order_all_the_same():
    assert sorted(["01", "1", "001"], key=natural_key) == sorted(["1", "001", "01"], key=natural_key)


# -- whole or not at all -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, StorageError])
def test_an_interruption_leaves_the_old_file_and_nothing_beside_it(tmp_path, error):
    path = tmp_path / "result.json"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as file:  # noqa: PT012
        file.write(b"half of the new")
        raise error("cut")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.json"]


WRITER = """
import sys, time
from fastlab.files import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_beside_a_file_goes_the_next_time_and_what_is_being_written_stays(tmp_path):
    path, other = tmp_path / "net.safetensors", tmp_path / ".another.abcdefgh.part"
    other.touch()
    killed = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
    assert killed.stdout.readline() == b"writing\n"
    part, = tmp_path.glob(".net.safetensors.*.part")
    write_bytes(path, b"whole")
    assert part.exists()                # its writer lives
    killed.kill()
    killed.communicate()
    with replacing(path) as file:
        file.write(b"first")
        write_bytes(path, b"second")    # two at once: none takes the other's for left behind
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert {each.name for each in tmp_path.iterdir()} == {"net.safetensors", other.name}


def test_a_file_is_still_its_writers_while_it_gets_its_name(tmp_path, monkeypatch):
    path, real, renamed = tmp_path / "file", os.replace, []

    def late(source, target):
        renamed.append(source)
        if len(renamed) == 1:
            write_bytes(path, b"second")
        real(source, target)
    monkeypatch.setattr(os, "replace", late)
    write_bytes(path, b"first")
    assert (len(renamed), path.read_bytes()) == (2, b"first")


def test_a_file_that_was_taken_away_before_it_was_locked_is_begun_anew(tmp_path, monkeypatch):
    real, made = tempfile.mkstemp, []

    def taken_away(**options):
        made.append(real(**options))
        if len(made) == 1:
            os.unlink(made[0][1])
        return made[-1]
    monkeypatch.setattr(tempfile, "mkstemp", taken_away)
    write_bytes(tmp_path / "file", b"whole")
    assert len(made) == 2
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_what_is_written_takes_the_place_whole_and_folders_are_made(tmp_path):
    path = tmp_path / "new" / "deep" / "file"
    write_bytes(path, b"one")
    write_text(path, "学\n")
    assert path.read_bytes() == "学\n".encode()
    assert os.listdir(path.parent) == ["file"]


def test_the_same_content_gives_the_same_json_bytes(tmp_path):
    content = {"b": [1, 2.5], "a": "学"}
    for name in ("1", "2"):
        write_json(tmp_path / name, content)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert json.loads((tmp_path / "1").read_text("utf-8")) == content


def test_a_new_file_may_be_read_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["字" * 80, "x" * 250, "🖌" * 60])
def test_the_longest_names_can_be_written(tmp_path, name):
    write_bytes(tmp_path / name, b"x")
    assert (tmp_path / name).read_bytes() == b"x"


@pytest.mark.parametrize("where", ["folder", "file/below", "file/deep/below"])
def test_a_place_that_is_none_is_a_storage_error_that_names_it(tmp_path, where):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file, not a folder|not an ordinary file") as caught:
        write_bytes(tmp_path / where, b"x")
    assert str(caught.value).startswith(str(tmp_path / where))


def test_a_pipe_or_device_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="not an ordinary file"):
        write_bytes(tmp_path / "pipe", b"x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_full_disk_is_a_storage_error_with_a_cure(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full; free some space"):
        write_bytes(tmp_path / "file", b"x")
    assert os.listdir(tmp_path) == []


def test_another_files_error_is_not_blamed_on_the_file_being_written(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "out"):
        (tmp_path / "missing input").read_bytes()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_a_storage_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="permission denied"):
        write_bytes(tmp_path / "file", b"x")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EDQUOT, errno.ENAMETOOLONG, errno.EIO])
def test_every_problem_names_the_path_and_ends_as_a_sentence(number):
    told = str(storage_problem("some/path", OSError(number, os.strerror(number))))
    assert told.startswith("some/path: ")
    assert told.endswith(".")


# -- digests and places ------------------------------------------------------------------------------------------------
@given(some.lists(some.binary(max_size=5), max_size=4), some.lists(some.binary(max_size=5), max_size=4))
def test_digests_are_equal_only_for_equal_lists(first, second):
    assert (digest(*first) == digest(*second)) == (first == second)


def test_text_counts_as_its_utf8_bytes():
    assert digest("学") == digest("学".encode())


def test_a_files_digest_is_sha256_of_its_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"content" * 1000)
    assert digest_file(tmp_path / "file") == hashlib.sha256(b"content" * 1000).hexdigest()


def test_the_caches_home_is_told_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTLAB_CACHE", str(tmp_path))
    assert cache_home() == tmp_path
    monkeypatch.setenv("FASTLAB_CACHE", "~/mine")
    assert cache_home() == Path.home() / "mine"
    monkeypatch.delenv("FASTLAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_home() == tmp_path / "xdg" / "fastlab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_home() == Path.home() / ".cache" / "fastlab"
