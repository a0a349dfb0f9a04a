"""Runs on Ray: what the driver does about places, losses, failures and Ctrl-C, with a stand-in for the package; and,
where ray is installed, a study on the real one."""
import importlib.util
import socket
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_ray import FakeRay, ObjectLostError, WorkerCrashedError

from fastlab.errors import FastlabError, OptionError
from fastlab.study import cluster
from fastlab.study.carry import carry_here
from fastlab.study.connection import connected
from fastlab.study.data import StudyData
from fastlab.study.runner import Runner
from fastlab.study.schedule import schedule
from fastlab.study.study import Study

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None,
                               reason="ray is not installed: pip install 'fastlab[ray]'")
HTTP_ANSWER = b"HTTP/1.1 400 Bad Request\r\n\r\n"


@pytest.fixture
def runs(small_plan, arrays, fake):
    return schedule(small_plan, range(3), StudyData(arrays), fake).runs


@pytest.fixture
def ray(monkeypatch):
    "A function that puts a FakeRay where the package would be."
    def installed(*arguments, **options):
        made = FakeRay(*arguments, **options)
        monkeypatch.setitem(sys.modules, "ray", made)
        monkeypatch.setitem(sys.modules, "ray.exceptions", made.exceptions)
        cluster._opened.cache_clear()
        return made
    yield installed
    cluster._opened.cache_clear()


def contents(carried):
    "key -> the bytes of its result without its seconds; each run once, none failed."
    found = {}
    for done in carried:
        assert done.reason is None
        assert done.run.key not in found
        found[done.run.key] = done.content
    return found


def test_results_are_the_same_bytes_as_here_and_the_images_are_put_once(ray, runs, arrays, fake):
    made = ray((3,))
    made.ends_last_first = True
    assert contents(cluster.carry_on_ray(iter(runs), arrays, fake, "here")) == contents(
        carry_here(iter(runs), arrays, fake))
    assert made.puts == 1
    assert made.most == 3
    assert made.told == [{"num_cpus": 1, "max_retries": 0, "runtime_env": {"env_vars": {
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}}}]


def test_what_is_put_is_in_memory_and_names_no_file(ray, runs, arrays, fake, tmp_path):
    np.save(tmp_path / "images.npy", arrays.images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="c")
    made = ray()
    list(cluster.carry_on_ray(iter(runs[:1]), replace(arrays, images=mapped, root=tmp_path), fake, "here"))
    assert str(tmp_path).encode() not in made.objects[0]
    assert made.get(0).digest == arrays.digest


def test_as_many_tasks_as_there_are_cpus_whenever_machines_come_and_go(ray, runs, arrays, fake):
    ray((1, 1, 4, 4, 4, 2))
    heard, under_way = [], []
    tasks = cluster._Tasks(sys.modules["ray"], arrays, fake, heard.append)
    for _ in tasks.carried(iter(runs)):
        under_way.append(len(tasks.under_way) + 1)
    assert heard == [1, 4, 2]
    assert under_way[:5] == [1, 1, 4, 4, 4]
    assert set(under_way[7:-1]) == {2}      # nothing is taken from those that run; no more are begun


def test_a_cluster_without_cpus_is_still_asked_for_one(ray, runs, arrays, fake):
    made = ray((0,))
    assert len(contents(cluster.carry_on_ray(iter(runs), arrays, fake, "here"))) == len(runs)
    assert made.most == 1


@pytest.mark.parametrize("error", [WorkerCrashedError, ObjectLostError])
def test_what_a_lost_machine_had_under_way_is_done_again(ray, runs, arrays, fake, error):
    lost = {run.key for run in runs[2:9]}
    made = ray((4,), lambda run, attempt: error("gone") if run.key in lost and attempt < cluster.LOSSES else None)
    assert contents(cluster.carry_on_ray(iter(runs), arrays, fake, "here")) == contents(
        carry_here(iter(runs), arrays, fake))
    assert {key for key, attempts in made.attempts.items() if attempts == cluster.LOSSES} == lost


def test_a_run_that_kills_its_process_every_time_is_named_and_the_others_are_done(ray, runs, arrays, fake):
    deadly = runs[1].key
    made = ray((2,), lambda run, attempt: WorkerCrashedError("dead") if run.key == deadly else None)
    ended = {done.run.key: done for done in cluster.carry_on_ray(iter(runs), arrays, fake, "here")}
    assert len(ended) == len(runs)
    assert [key for key, done in ended.items() if done.reason] == [deadly]
    assert ended[deadly].reason == "its process or machine died 3 times (WorkerCrashedError)"
    assert made.attempts[deadly] == cluster.LOSSES


def test_a_failed_run_is_told_in_its_own_words(ray, runs, arrays, fake, monkeypatch):
    monkeypatch.setenv("FAKE_FAILS", "0.001")
    ray()
    reasons = {done.reason for done in cluster.carry_on_ray(iter(runs), arrays, fake, "here") if done.run.recipe.l1}
    assert reasons == {"the loss is not finite in epoch 3 (made up)."}


def test_a_feed_that_has_nothing_now_is_asked_again(ray, runs, arrays, fake):
    ray()
    fed = iter([None, runs[0], None, None, runs[1], None, runs[2]])
    assert list(contents(cluster.carry_on_ray(fed, arrays, fake, "here"))) == [run.key for run in runs[:3]]


def test_other_code_on_a_machine_stops_the_study_and_takes_nothing(ray, runs, arrays, fake, monkeypatch):
    made = ray()
    digests = iter(("the driver's", "the machine's"))
    monkeypatch.setattr(cluster, "_code", lambda path, net: next(digests))
    made.cpus = [1]
    carried = cluster.carry_on_ray(iter(runs), arrays, fake, "here")
    with pytest.raises(FastlabError, match=f"{socket.gethostname()} has another fastlab.*Install the same"):
        next(carried)
    assert not made.connected


@pytest.mark.parametrize("how", ["close", "ctrl-c"])
def test_stopped_on_the_way_nothing_is_left_behind(ray, runs, arrays, fake, how):
    made = ray((3,))
    carried = cluster.carry_on_ray(iter(runs), arrays, fake, "here")
    next(carried)
    waiting = set(made.waiting)
    assert waiting
    if how == "close":
        carried.close()
    else:
        made.wait = _interrupted
        with pytest.raises(KeyboardInterrupt):
            next(carried)
        waiting |= set(made.waiting)
    assert waiting <= {reference for reference, force in made.cancelled if force}
    assert not made.waiting
    assert not made.connected
    place = made.calls[0][1]["_temp_dir"]
    assert not Path(place).exists()


def _interrupted(*arguments, **options):
    raise KeyboardInterrupt


def test_a_connection_that_was_there_is_used_and_stays(ray, runs, arrays, fake):
    made = ray()
    made.connected = True
    list(cluster.carry_on_ray(iter(runs), arrays, fake, "elsewhere:6379"))
    assert made.connected
    assert made.calls == []


def test_a_graphics_card_is_asked_for_where_runs_want_one(ray, runs, arrays):
    made = ray()
    made.cluster_resources = lambda: {"CPU": 8.0, "GPU": 2.0}
    list(cluster.carry_on_ray(iter(runs), arrays, Runner("fake_runner:carry_out", "cuda"), "here"))
    assert made.most == 2
    assert made.told[0]["num_gpus"] == 1


def test_a_study_without_the_package_says_what_to_install(small_plan, arrays, fake, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    study = Study(small_plan, arrays, tmp_path / "out", runner=fake)
    with pytest.raises(FastlabError, match=r"pip install 'fastlab\[ray\]'"):
        study.run(ray="here", show=False)


def test_a_study_shows_how_many_cpus_there_are_and_when_they_go(ray, small_plan, arrays, fake, tmp_path, capsys):
    ray((4, 4, 4, 2))
    Study(small_plan, arrays, tmp_path / "out", seeds=2, runner=fake).run(ray="here")
    told = capsys.readouterr().err
    assert "0 of 8 runs are there\n" in told
    assert told.index("The cluster has 4 CPUs") < told.index("1/8") < told.index("The cluster has 2 CPUs")


@pytest.mark.parametrize("address", ["nonsense", "host:", "host:port", "host:0", "host:70000", "http://h:1", "a b:1",
                                     ""])
def test_what_is_no_address_is_told_what_one_is(ray, address):
    ray()
    with pytest.raises(OptionError, match=r"Write HOST:PORT"), connected(address):
        pass


def test_a_port_where_nobody_listens_is_said_within_seconds(ray):
    made = ray()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    for address in (f"127.0.0.1:{port}", f"ray://localhost:{port}"):
        with pytest.raises(FastlabError, match="nothing answers there"), connected(address):
            pass
    assert time.monotonic() - started < 5
    assert ("init", {}) not in made.calls


@pytest.mark.parametrize(("answer", "words"), [(HTTP_ANSWER, "is not Ray"), (b"", "is not Ray"),
                                               (None, "nothing answers there")])
def test_a_port_where_something_else_listens_is_said_within_seconds(ray, monkeypatch, answer, words):
    from fastlab.study import connection
    ray()
    monkeypatch.setattr(connection, "ANSWER_WITHIN", 0.5)
    with _listening(answer) as port, pytest.raises(FastlabError, match=words), connected(f"127.0.0.1:{port}"):
        pass


def test_an_address_in_the_environment_is_looked_at_as_well(ray, monkeypatch):
    ray()
    monkeypatch.setenv("RAY_ADDRESS", "nonsense")
    with pytest.raises(OptionError, match="nonsense"), connected("auto"):
        pass


class _listening:
    "A port on which `answer` is said to whoever calls; None says nothing and keeps the line open."

    def __init__(self, answer):
        self.answer, self.calls = answer, []

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self.socket.getsockname()[1]

    def _serve(self):
        call, _ = self.socket.accept()
        self.calls.append(call)
        call.recv(24)
        if self.answer is not None:
            call.sendall(self.answer)
            call.shutdown(socket.SHUT_RDWR)
            call.close()

    def __exit__(self, *_):
        for call in self.calls:
            call.close()
        self.socket.close()


@needs_ray
def test_a_real_study_on_ray_writes_the_same_bytes_and_leaves_nothing(small_plan, arrays, fake, tmp_path, monkeypatch):
    import ray
    monkeypatch.setenv("TMPDIR", str(short := Path(tempfile.mkdtemp(prefix="f-", dir="/tmp"))))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("FAKE_FAILS", "0.001")
    for out, options in (("here", {"jobs": 0}), ("ray", {"ray": "here"})):
        study = Study(small_plan, arrays, tmp_path / out, seeds=3, runner=fake).run(show=False, **options)
        assert set(study.failed.values()) == {"the loss is not finite in epoch 3 (made up)."}
        assert len(study.failed) == 3
    assert (tmp_path / "ray" / "results.csv").read_bytes() == (tmp_path / "here" / "results.csv").read_bytes()
    assert not ray.is_initialized()
    assert list(short.iterdir()) == []
    short.rmdir()
