"""Decoded once; anything that changed, was cut or damaged is noticed; nothing is left behind that could be wrong."""
import errno
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fastlab.errors import ImageError, OptionError, StorageError
from fastlab.images import filling
from fastlab.images.cache import decode_all, decoded

KILLED = """
import os, signal, sys
from fastlab.images import filling
from fastlab.images.cache import decode_all
real, seen = filling.open_image, []
def last(*arguments):
    seen.append(1)
    if len(seen) == 10:
        os.kill(os.getpid(), int(sys.argv[1]))
    return real(*arguments)
filling.open_image = last
decode_all(sys.argv[2:], 1, 28, jobs=1)
"""


@pytest.fixture
def files(new_data, fresh_cache):
    "24 drawn images, and a cache in which nothing lies yet."
    return sorted(new_data.glob("*/*.png"))


@pytest.fixture
def opened(monkeypatch):
    "The files that were really decoded, in order."
    seen, real = [], filling.open_image

    def open_and_tell(file, *arguments):
        seen.append(str(file))
        return real(file, *arguments)
    monkeypatch.setattr(filling, "open_image", open_and_tell)
    return seen


def truth(files):
    return np.stack([np.asarray(Image.open(file)) for file in files])[..., None]


def array_of(cache):
    return next((cache / "decoded").glob("*.u8"))


def test_fault_14_files_are_decoded_once(files, opened):
    first = decoded(files, 1, 28)
    assert np.array_equal(first, truth(files))
    assert len(opened) == len(files)
    assert np.array_equal(decoded(files, 1, 28), first)
    assert len(opened) == len(files)


def test_the_cache_lies_where_it_is_told_and_never_in_the_data(files, new_data, fresh_cache, tmp_path):
    before = sorted(new_data.rglob("*"))
    assert np.array_equal(decoded(files), decoded(files, cache=tmp_path / "elsewhere"))
    assert sorted(new_data.rglob("*")) == before
    assert {file.suffix for file in (fresh_cache / "decoded").iterdir()} == {".u8", ".json"}
    assert array_of(tmp_path / "elsewhere").read_bytes() == array_of(fresh_cache).read_bytes()


@pytest.mark.parametrize("options", [(3, 28), (1, 20), (1, None)])
def test_other_options_are_another_array(files, opened, options):
    decoded(files, 1, 28)
    decoded(files, *options)
    assert len(opened) == 2 * len(files)


def test_a_changed_an_added_and_a_removed_file_are_noticed(files):
    decoded(files)
    Image.fromarray(np.full((28, 28), 7, np.uint8)).save(files[3])
    assert (decoded(files)[3] == 7).all()
    shutil.copy(files[0], files[0].with_name("extra.png"))
    assert len(decoded([*files, files[0].with_name("extra.png")])) == 25
    assert np.array_equal(decoded(files[1:]), truth(files[1:]))


def test_other_contents_of_the_same_size_and_time_are_noticed(files):
    for file, shade in ((files[0], 10), (files[1], 20)):
        Image.fromarray(np.full((28, 28), shade, np.uint8)).save(file, "BMP")
    decoded(files)
    state = files[0].stat()
    files[0].write_bytes(files[1].read_bytes())
    os.utime(files[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    assert files[0].stat().st_size == state.st_size
    assert (decoded(files)[0] == 20).all()


def test_files_exchanged_by_renaming_are_noticed(files):
    want = truth(files)
    decoded(files)
    spare = files[0].with_name("spare")
    for old, new in ((files[0], spare), (files[1], files[0]), (spare, files[1])):
        old.rename(new)
    assert np.array_equal(decoded(files)[:2], want[[1, 0]])


# -- damage ------------------------------------------------------------------------------------------------------------
def cut(array, note):
    array.write_bytes(array.read_bytes()[:-1])


def flipped(array, note):
    content = bytearray(array.read_bytes())
    content[len(content) // 2] ^= 1
    array.write_bytes(content)


def emptied(array, note):
    array.write_bytes(b"")


def note_cut(array, note):
    note.write_text(note.read_text()[:-20])


def note_nonsense(array, note):
    note.write_text("[1]")


def note_gone(array, note):
    note.unlink()


def array_gone(array, note):
    array.unlink()


def note_with_other_shape(array, note):
    told = json.loads(note.read_text())
    told["shape"] = [12, 56, 28, 1]
    note.write_text(json.dumps(told))


def note_without_reasons(array, note):
    told = json.loads(note.read_text())
    told["unreadable"] = {}
    note.write_text(json.dumps(told))


@pytest.mark.parametrize("damage", [cut, flipped, emptied, note_cut, note_nonsense, note_gone, array_gone,
                                    note_with_other_shape, note_without_reasons])
def test_a_damaged_cache_is_decoded_again(files, fresh_cache, opened, damage):
    files[2].write_bytes(b"")
    want = decode_all(files)
    pixels = np.array(want.images)
    array = array_of(fresh_cache)
    damage(array, array.with_suffix(".json"))
    again = decode_all(files)
    assert np.array_equal(again.images, pixels)
    assert again.unreadable == want.unreadable == {2: "the file is empty (0 bytes)"}
    assert len(opened) == 2 * len(files)


def test_a_copied_cache_is_looked_through_once_and_then_trusted(files, fresh_cache, opened):
    decoded(files)
    array = array_of(fresh_cache)
    os.utime(array)
    told = array.with_suffix(".json").read_text()
    decoded(files)
    assert len(opened) == len(files)
    assert array.with_suffix(".json").read_text() != told


def test_writing_into_the_pixels_leaves_the_cache_as_it_was(files):
    images = decoded(files)
    images[:] = 0
    assert np.array_equal(decoded(files), truth(files))


# -- unreadable files --------------------------------------------------------------------------------------------------
def test_all_unreadable_files_are_named_at_once_with_their_reasons(files):
    files[1].write_bytes(b"")
    files[5].write_text("<html></html>")
    files[9].unlink()
    with pytest.raises(ImageError) as caught:
        decoded(files)
    assert set(caught.value.reasons) == {files[1], files[5], files[9]}
    for file, reason in ((files[1], "empty"), (files[5], "HTML"), (files[9], "no such file")):
        assert f"{file}: " in str(caught.value)
        assert reason in str(caught.value)
    assert str(caught.value).startswith("3 images cannot be read")
    assert "--skip-unreadable" in str(caught.value)


def test_unreadable_files_can_be_skipped_and_their_rows_are_blank(files):
    files[1].write_bytes(b"")
    images = decoded(files, skip_unreadable=True)
    assert (images[1] == 0).all()
    assert np.array_equal(images[2:], truth(files[2:]))


def test_a_long_list_is_cut_and_counted(files):
    for file in files:
        file.write_bytes(b"")
    with pytest.raises(ImageError, match=r"24 images(.|\n)*and 4 more") as caught:
        decoded(files)
    assert len(caught.value.reasons) == 24


def test_an_image_of_another_size_is_named_when_none_is_asked(files):
    Image.new("L", (30, 20)).save(files[4])
    with pytest.raises(ImageError, match=r"30×20 pixels where the others have 28×28.*--size"):
        decoded(files)


# -- places and interruptions ------------------------------------------------------------------------------------------
def test_a_full_disk_is_an_error_before_anything_is_decoded(files, fresh_cache, opened, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match=r"disk is full.*--cache DIR"):
        decoded(files)
    assert not opened
    assert not list((fresh_cache / "decoded").iterdir())


def test_a_place_that_cannot_be_written_is_an_error_with_a_cure(files, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"--cache DIR or \$FASTLAB_CACHE"):
        decoded(files, cache=tmp_path / "file")


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_an_interruption_leaves_nothing_that_passes_for_whole(files, fresh_cache, opened, sent):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(int(sent)), *map(str, files)], capture_output=True)
    assert ended.returncode != 0
    left = list((fresh_cache / "decoded").iterdir())
    assert all(file.suffix == ".part" for file in left)
    assert bool(left) == (sent == signal.SIGKILL)
    assert np.array_equal(decoded(files, 1, 28), truth(files))
    assert len(opened) == len(files)


def test_nothing_to_decode_is_an_error(fresh_cache):
    with pytest.raises(OptionError, match="no image was given"):
        decoded([])


@pytest.mark.parametrize(("refused", "kept"), [(OSError(errno.EIO, "Input/output error"), False),
                                               (MemoryError(), False),
                                               (PermissionError(errno.EACCES, "Permission denied"), True),
                                               (OSError("image file is truncated"), True)])
def test_what_a_disk_refuses_once_is_asked_for_again(files, monkeypatch, refused, kept):
    from fastlab.images import decode
    real = decode.opened

    def refuse(source):
        if str(source) == str(files[3]):
            raise refused
        return real(source)
    with monkeypatch.context() as patch:
        patch.setattr(decode, "opened", refuse)
        assert list(decode_all(files, 1, 28, jobs=1).unreadable) == [3]
    assert list(decode_all(files, 1, 28, jobs=1).unreadable) == ([3] if kept else [])
    if not kept:
        assert np.array_equal(decoded(files, 1, 28), truth(files))
