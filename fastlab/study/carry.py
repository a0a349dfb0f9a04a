"""The seam `carry(runs)`: runs go in, results come out as they finish. Here: processes of this machine, each with one
thread, as two threads on busy cores are many times slower than one.

`runs` is an iterator that may give None: nothing to start now, ask again. So whoever feeds it may hold runs back, stop
early or wait for another study."""
import os
import signal
import threading
import time
import warnings
from collections import deque
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import ShutdownExecutorError

from fastlab.errors import FastlabError
from fastlab.study.data import shared
from fastlab.study.runner import work
from fastlab.study.schedule import Run

PAUSE = 0.3                     # seconds between two questions when nothing can be started
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Done:
    "A run that ended: its result's `content` as bytes and the `seconds` it took, or the `reason` for which it failed."
    run: Run
    content: bytes | None = None
    reason: str | None = None
    seconds: float = 0.0


def reason_of(error):
    "Why a run failed, in one line: a FastlabError's own words, another error's kind and words."
    if isinstance(error, BrokenProcessPool):
        return "its process died (killed by the system, perhaps for want of memory)"
    words = " ".join(str(error).split())
    return words if isinstance(error, FastlabError) else f"{type(error).__name__}: {words}"


def carry_here(runs, arrays, runner):
    "One run after the other in this process: for a debugger, and where no process can be started."
    for run in runs:
        if run is None:
            time.sleep(PAUSE)
            continue
        started = time.perf_counter()
        try:
            content = runner.carry_out(arrays, run)
        except FastlabError as error:
            yield Done(run, reason=reason_of(error))
        else:
            yield Done(run, content, None, time.perf_counter() - started)


def carry(runs, arrays, runner, jobs):
    "Runs in `jobs` processes, one thread each; pixels are shared by a memory map. Yields Done, in order of finishing."
    with shared(arrays) as folder:
        pool = _Pool(folder, runner, jobs)
        try:
            yield from pool.carried(iter(runs))
        finally:
            pool.close()


class _Pool:
    """Processes that do runs. Where one dies, all that were under way are lost; each is done again alone, so that the
    run that kills its process is found and named."""

    def __init__(self, folder, runner, jobs):
        self.folder, self.runner, self.jobs = folder, runner, jobs
        self.under_way, self.suspects, self.executor = {}, deque(), None

    def carried(self, runs):
        ended = False
        while True:
            paused = False
            while not ended and not paused and not self.suspects and len(self.under_way) < self.jobs:
                run = next(runs, self)
                ended, paused = run is self, run is None
                if not ended and not paused:
                    self._start(run)
            if self.suspects and not self.under_way:
                self._start(self.suspects.popleft(), alone=True)
            if not self.under_way:
                if ended and not self.suspects:
                    return
                time.sleep(PAUSE)
                continue
            finished, _ = wait(self.under_way, PAUSE if paused else None, FIRST_COMPLETED)
            yield from filter(None, [self._done(future) for future in finished])

    def _start(self, run, alone=False):
        if self.executor is None:
            self.executor = ProcessPoolExecutor(self.jobs, env=ONE_THREAD, initializer=_begin, initargs=(os.getpid(),))
        try:
            self.under_way[self.executor.submit(work, self.folder, run, self.runner)] = run, alone
        except BrokenProcessPool:  # another run has just killed its process, which its own future is about to say
            self.close()
            self.suspects.append(run)

    def _done(self, future):
        run, alone = self.under_way.pop(future)
        error = future.exception()
        if isinstance(error, BrokenProcessPool | ShutdownExecutorError):
            self.close()
            if not alone:
                self.suspects.append(run)
                return None
        return Done(run, reason=reason_of(error)) if error is not None else Done(run, *_with_gap(future.result()))

    def close(self):
        if self.executor is not None:
            self.executor.shutdown(wait=False, kill_workers=True)
            self.executor = None


def _with_gap(content_and_seconds):
    content, seconds = content_and_seconds
    return content, None, seconds


def _begin(parent):
    """The start of a process that does runs: Ctrl-C is its parent's business, which ends it; where its parent is gone,
    however that went, it ends by itself, as nobody waits for its results any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.filterwarnings("ignore", "`torch.jit")  # fastai's own, while it is imported

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()
