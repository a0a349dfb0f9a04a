"""The seam `carry(runs)` on a Ray cluster: one task a run, on as many machines as the cluster has.

The images are put into Ray's object store once; results come back to this process, which alone writes them: no disk is
shared. Ray carries out whatever code reaches it, as the user who started it: it is for machines that you trust, on a
network that you trust. Every machine needs the same fastlab and torch; one that has others is named and nothing of its
is taken."""
import socket
import time
from collections import Counter, deque
from dataclasses import replace
from functools import lru_cache

import numpy as np

from fastlab.errors import FastlabError
from fastlab.study.carry import ONE_THREAD, PAUSE, Done, reason_of
from fastlab.study.connection import connected
from fastlab.study.keys import code_digest

LOSSES = 3                      # a run is given up when so many processes or machines were lost with it


class OtherCode(FastlabError):
    "A machine of the cluster on which other code makes the results."


def carry_on_ray(runs, arrays, runner, address, told=None):
    """Runs as tasks of a Ray cluster, one CPU and one thread each. Yields Done, in order of finishing.

    `runs`: an iterator of Runs; None from it means: nothing to start now, ask again. `address`: HOST:PORT,
    ray://HOST:PORT, 'auto', or 'here' to start Ray on this machine; a connection that this process already has is used
    and left open. `told(count)` hears how many CPUs there are, whenever that changes. A run that a lost process or
    machine had under way is done again. Raises FastlabError: no ray package, no cluster there, other code there."""
    with connected(address) as ray:
        tasks = _Tasks(ray, arrays, runner, told)
        try:
            yield from tasks.carried(iter(runs))
        finally:
            tasks.close()


class _Tasks:
    "Runs under way on a cluster. Ray itself repeats nothing: only here it is known which runs are still wanted."

    def __init__(self, ray, arrays, runner, told):
        self.ray, self.runner, self.told, self.count = ray, runner, told, None
        self.held = [ray.put(_bare(arrays))]  # in a list, as Ray would unpack a bare reference anew for every task
        gpu = {"num_gpus": 1} if runner.device == "cuda" else {}
        self.task = ray.remote(_work).options(num_cpus=1, max_retries=0, runtime_env={"env_vars": ONE_THREAD}, **gpu)
        self.under_way, self.again, self.losses = {}, deque(), Counter()

    def carried(self, runs):
        ended = False
        while True:
            free, paused = self._places() - len(self.under_way), False
            while free > 0 and not paused and (self.again or not ended):
                run = self.again.popleft() if self.again else next(runs, self)
                ended, paused = ended or run is self, run is None
                if run is not self and not paused:
                    self._start(run)
                    free -= 1
            if self.under_way:
                finished, _ = self.ray.wait(list(self.under_way), num_returns=1, timeout=PAUSE)
                yield from filter(None, [self._done(reference) for reference in finished])
            elif ended and not self.again:
                return
            elif paused:
                time.sleep(PAUSE)

    def _places(self):
        "How many tasks the cluster has CPUs for now; one where it has none, so that a cluster that grows does so."
        has = self.ray.cluster_resources()
        count = int(min(has.get(kind, 0) for kind in (("CPU", "GPU") if self.runner.device == "cuda" else ("CPU",))))
        if count != self.count and self.told is not None:
            self.told(count)
        self.count = count
        return max(count, 1)

    def _start(self, run):
        self.under_way[self.task.remote(self.held, run, self.runner, _code(self.runner.path, run.recipe.net))] = run

    def _done(self, reference):
        "The Done of a task that ended, or None where it was lost and is to be done again."
        run = self.under_way.pop(reference)
        try:
            content, seconds = self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, OtherCode):
                raise error.cause from None
            return Done(run, reason=reason_of(error.cause))
        except self.ray.exceptions.RayError as error:  # its process, its machine, or the only copy of its result
            self.losses[run.key] += 1
            if self.losses[run.key] >= LOSSES:
                return Done(run, reason=f"its process or machine died {LOSSES} times ({type(error).__name__})")
            self.again.append(run)
            return None
        return Done(run, content, None, seconds)

    def close(self):
        "Ends what is still under way; the cluster itself is left to whoever started it."
        for reference in self.under_way:
            self.ray.cancel(reference, force=True)
        self.under_way.clear()
        self.held = None


def _bare(arrays):
    "Only what a run needs, with pixels in memory: no file of this machine is named to another."
    return replace(arrays, images=np.ascontiguousarray(arrays.images), files=(), root=None, notes=(),
                   unreadable={}, cache=None)


@lru_cache(maxsize=1)
def _opened(reference):
    "The Arrays behind a reference, once a process; their pixels lie in the memory that a machine's processes share."
    import ray
    return ray.get(reference)


@lru_cache(maxsize=256)
def _code(path, net):
    return code_digest(path, (net,))


def _work(held, run, runner, code):
    "One run, on whatever machine Ray chose. Returns (bytes, seconds)."
    started = time.perf_counter()
    if _code(runner.path, run.recipe.net) != code:
        raise OtherCode(f"--on-ray: {socket.gethostname()} has another fastlab, torch or network of yours than this "
                        "machine, so its results would be others. Install the same ones on every machine.")
    content = runner.carry_out(_opened(held[0]), run)
    return content, time.perf_counter() - started
