"""A full disk, damaged and foreign result files: a study says so, sets them aside and loses nothing."""
import errno
import os
import subprocess

import pytest
from made_up_study import SMALL_PLAN, tables

from fastlab.errors import StorageError
from fastlab.study.planfile import plan_from
from fastlab.study.record import DamagedRecord, decode
from fastlab.study.study import Study
from fastlab.study.tomllines import PlanText

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.mark.parametrize("call", ["fsync", "replace", "write"])
@pytest.mark.parametrize("after", [0, 3, 9])
def test_a_disk_that_fills_up_is_an_error_and_nothing_is_lost(study, whole, monkeypatch, call, after):
    "The disk is full from the call number `after` on: while results are kept, or only when the tables are written."
    left = [after]

    def full(real):
        def called(*arguments, **options):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **options)
        return called

    with monkeypatch.context() as patch:
        if call == "write":
            real = os.fdopen

            def opened(*arguments, **options):
                file = real(*arguments, **options)
                return Wrapped(file, full(file.write))
            patch.setattr(os, "fdopen", opened)
        else:
            patch.setattr(os, call, full(getattr(os, call)))
        with pytest.raises(StorageError, match=r"(\.run|\.csv|\.json): the disk is full; free some space"):
            study().run(0, show=False)
    kept = list((study().out / "runs").glob("*"))
    assert [path.suffix for path in kept] == [".run"] * min(after, 8)  # no half of a file is left beside them
    assert tables(study().run(0, show=False)) == whole


class Wrapped:
    "A file whose `write` is another function."

    def __init__(self, file, write):
        self.file, self.write = file, write

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()


def mounted(place, size):
    "Whether a file system of `size` bytes in memory could be mounted at `place`."
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True)
    return done.returncode == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_really_full_disk(study, whole, tmp_path, small_plan, arrays, fake):
    place = tmp_path / "small disk"
    if not mounted(place, 6 * 4096 + 4096):
        pytest.skip("this system lets not even root mount a file system")
    try:
        made = Study(small_plan, arrays, place / "study", seeds=2, runner=fake)
        with pytest.raises(StorageError, match="the disk is full"):
            made.run(0, show=False)
        kept = list((place / "study" / "runs").iterdir())
        assert kept
        assert all(decode(path.read_bytes(), path.stem) for path in kept)
        subprocess.run(["mount", "-o", "remount,size=4m", place], check=True)
        assert tables(Study(small_plan, arrays, place / "study", seeds=2, runner=fake).run(0, show=False)) == whole
    finally:
        subprocess.run(["umount", place], check=True)


def cut(content):
    return content[:len(content) // 2]


def flipped(content):
    "One bit of the body."
    return content[:-9] + bytes([content[-9] ^ 4]) + content[-8:]


DAMAGE = {"cut": cut, "empty": lambda content: b"", "a bit flipped": flipped, "longer": lambda content: content + b"\0",
          "a foreign file": lambda content: b"\x89PNG\r\n\x1a\n" + bytes(500),
          "a pickle": lambda content: b"cos\nsystem\n(S'touch /tmp/never'\ntR."}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_result_is_set_aside_and_done_again(study, whole, log, how):
    done = study().run(0, show=False)
    path = sorted(done.out.glob("runs/*.run"))[3]
    content, before = path.read_bytes(), len(log())
    path.write_bytes(DAMAGE[how](content))
    with pytest.raises(DamagedRecord):
        decode(path.read_bytes(), path.stem)
    again = study().run(0, show=False)
    assert len(log()) == before + 1
    assert path.read_bytes() == content
    assert tables(again) == whole
    assert [file.read_bytes() for file in again.store.aside.iterdir()] == [DAMAGE[how](content)]
    assert list(again.store.damaged) == [path.name]


def test_another_run_s_result_under_this_one_s_name_is_not_taken(study, whole):
    done = study().run(0, show=False)
    one, other = sorted(done.out.glob("runs/*.run"))[:2]
    one.write_bytes(other.read_bytes())
    again = study().run(0, show=False)
    assert tables(again) == whole
    assert "another run" in again.store.damaged[one.name]


def test_the_same_file_is_set_aside_twice_without_losing_the_first(study):
    path = sorted(study().run(0, show=False).out.glob("runs/*.run"))[0]
    for content in (b"once", b"twice"):
        path.write_bytes(content)
        again = study().run(0, show=False)
    assert sorted(file.read_bytes() for file in again.store.aside.iterdir()) == [b"once", b"twice"]


def test_a_result_without_the_epoch_that_a_new_plan_asks_for_is_done_again(study, arrays, fake, log):
    "At a constant rate a run of 8 epochs is the start of the one of 16, and has the same name."
    short = study().run(0, show=False)
    assert {run.recipe.epochs for run in short.schedule.runs} == {8, 16}
    kept = {path.name: path.read_bytes() for path in short.out.glob("runs/*.run")}
    longer = plan_from(PlanText(SMALL_PLAN.replace("epochs = 8", "epochs = 12")))
    before = len(log())
    made = Study(longer, arrays, short.out, seeds=2, runner=fake).run(0, show=False)
    again = {path.name: path.read_bytes() for path in made.out.glob("runs/*.run")}
    assert set(again) == set(kept)
    assert len(log()) - before == 8  # all need the mark 12, which none had
    assert not made.gathered.missing
