"""Which run is done next, so that studies that share a folder never do the same one twice."""
import time
from collections import deque


class Feed:
    """The runs that are missing, handed out one at a time, each under this study's lock. A run that another study is
    doing is held back, and taken over should that one go away without it."""

    def __init__(self, runs, store, deadline=None):
        self.waiting, self.store, self.deadline, self.locks = deque(runs), store, deadline, {}

    def __iter__(self):
        return self

    def __next__(self):
        "The next Run; None when all that is left is being done by another study; StopIteration at the end."
        for _ in range(len(self.waiting)):
            if self.deadline is not None and time.monotonic() >= self.deadline:
                break
            run = self.waiting.popleft()
            lock = self.store.take(run.key)
            if lock is None:
                self.waiting.append(run)
            elif self.store.has(run) or self.store.failure(run.key):
                lock.close()
            else:
                self.locks[run.key] = lock
                return run
        if not self.waiting or (self.deadline is not None and time.monotonic() >= self.deadline):
            raise StopIteration
        return None

    def release(self, key):
        self.locks.pop(key).close()

    def close(self):
        for lock in self.locks.values():
            lock.close()
        self.locks.clear()
