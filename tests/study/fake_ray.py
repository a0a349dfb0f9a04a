"""A stand-in for the package ray, in one process: tasks are carried out when they are waited for, and a script says
which of them are lost and how many CPUs there are at each question. References hold what Ray's would: bytes."""
import pickle
import types
from itertools import count


class RayError(Exception):
    "The base of what Ray raises."


class WorkerCrashedError(RayError):
    "A task's process died."


class ObjectLostError(RayError):
    "The only copy of a result was on a machine that died."


class RayTaskError(RayError):
    "A task raised `cause`; its text holds a whole traceback."

    def __init__(self, cause):
        super().__init__(f"ray::work() (pid=1)\n  File somewhere\n{cause!r}")
        self.cause = cause


class FakeRay(types.ModuleType):
    """`cpus`: how many there are at each question, the last one for ever; `loses(run, attempt)`: the error with which
    an attempt at a run is lost, or None. `most` tasks were under way at once; `puts` objects were put."""

    def __init__(self, cpus=(2,), loses=lambda run, attempt: None):
        super().__init__("ray")
        self.exceptions = types.ModuleType("ray.exceptions")
        for error in (RayError, WorkerCrashedError, ObjectLostError, RayTaskError):
            setattr(self.exceptions, error.__name__, error)
        self.cpus, self.loses = list(cpus), loses
        self.objects, self.waiting, self.attempts, self.numbers = {}, {}, {}, count()
        self.most, self.puts, self.told, self.cancelled, self.calls, self.connected = 0, 0, [], [], [], False
        self.ends_last_first = False

    def init(self, **options):
        self.calls.append(("init", options))
        self.connected = True

    def is_initialized(self):
        return self.connected

    def shutdown(self):
        self.calls.append(("shutdown", {}))
        self.connected = False

    def cluster_resources(self):
        return {"CPU": float(self.cpus.pop(0) if len(self.cpus) > 1 else self.cpus[0]), "memory": 1e9}

    def put(self, value):
        self.puts += 1
        number = next(self.numbers)
        self.objects[number] = pickle.dumps(value)
        return number

    def get(self, reference):
        found = pickle.loads(self.objects[reference])
        if isinstance(found, tuple) and found[0] == "raise":
            raise found[1] if isinstance(found[1], RayError) else RayTaskError(found[1])
        return found

    def remote(self, function):
        return _Remote(self, function)

    def wait(self, references, num_returns=1, timeout=None):
        self.most = max(self.most, len(references))
        chosen = references[-1 if self.ends_last_first else 0]
        function, arguments = self.waiting.pop(chosen)
        run = arguments[1]
        attempt = self.attempts[run.key] = self.attempts.get(run.key, 0) + 1
        lost = self.loses(run, attempt)
        if lost is not None:
            self.objects[chosen] = pickle.dumps(("raise", lost))
            return [chosen], [other for other in references if other != chosen]
        try:
            found = function(*arguments)
        except (ArithmeticError, LookupError, ValueError, RuntimeError, self.kept) as error:
            found = "raise", error
        self.objects[chosen] = pickle.dumps(found)
        return [chosen], [other for other in references if other != chosen]

    @property
    def kept(self):
        from fastlab.errors import FastlabError
        return FastlabError

    def cancel(self, reference, force=False):
        self.cancelled.append((reference, force))
        self.waiting.pop(reference, None)


class _Remote:
    def __init__(self, ray, function):
        self.ray, self.function = ray, function

    def options(self, **options):
        self.ray.told.append(options)
        return self

    def remote(self, *arguments):
        number = next(self.ray.numbers)
        self.ray.waiting[number] = self.function, pickle.loads(pickle.dumps(arguments))
        return number
