"""Rows of one array, decoded in one process or in many, with progress."""
import pytest

from fastlab.images.cache import decode_all


@pytest.fixture
def files(new_data, fresh_cache):
    "24 drawn images, and a cache in which nothing lies yet."
    return sorted(new_data.glob("*/*.png"))


def array_of(cache):
    return next((cache / "decoded").glob("*.u8"))


def test_many_processes_decode_to_the_same_bytes_as_one(files, tmp_path):
    files[7].write_bytes(b"")
    one = decode_all(files, 3, 20, tmp_path / "one", jobs=1)
    two = decode_all(files, 3, 20, tmp_path / "two", jobs=2)
    assert array_of(tmp_path / "one").read_bytes() == array_of(tmp_path / "two").read_bytes()
    assert one.unreadable == two.unreadable


def test_progress_counts_up_to_all_files(files):
    told = []
    decode_all(files, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (24, 24)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
