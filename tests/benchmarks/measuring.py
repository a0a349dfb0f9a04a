"""What the benchmarks share: one command in a process of its own, measured from outside; ratios with their spread."""
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Measured:
    """One command, from its start to its end. seconds: wall time; cpu: user and system time of it and its children;
    peak: bytes of resident memory of the largest of its processes at its largest; told: the JSON object of its last
    line of standard output, {} where there is none."""
    seconds: float
    cpu: float
    peak: int
    told: dict


def measured(command, **environment):
    "Runs a command (a list of words) to its end and measures it. SystemExit with its own words where it fails."
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", **environment}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=errors, env={**os.environ, **quiet})
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        for file in (out, errors):
            file.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} failed:\n{errors.read()}")
        last = (out.read().strip().splitlines() or [""])[-1]
    told = json.loads(last) if last.startswith("{") else {}
    return Measured(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * _MAXRSS_UNIT, told)


_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024      # bytes of what getrusage calls one


def rounds_of(commands, rounds, say=lambda line: print(line, file=sys.stderr, flush=True)):
    """{name: [Measured a round]}: the commands one after another, in every other round backwards, so that what slows
    the machine for a while falls on all. fastlab gets an empty cache each time, and so decodes anew."""
    found = {name: [] for name in commands}
    for number in range(1, rounds + 1):
        for name in list(commands) if number % 2 else reversed(commands):
            with tempfile.TemporaryDirectory() as cache:
                found[name].append(measured(commands[name], FASTLAB_CACHE=cache))
            one = found[name][-1]
            epoch = f", {one.told['seconds_per_epoch']:.2f} s an epoch" if "seconds_per_epoch" in one.told else ""
            say(f"round {number}: {name}: {one.seconds:.1f} s, {one.cpu:.1f} s of processor{epoch}")
    return found


def ratios(theirs, mine):
    "(median, least, greatest) of theirs / mine, taken round by round."
    each = [other / own for other, own in zip(theirs, mine, strict=True)]
    return median(each), min(each), max(each)


def machine():
    "What the figures were measured on."
    import fastai
    import torch
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
             ] if info.exists() else []
    return {"processor": names[0] if names else platform.processor(), "cores": os.cpu_count(),
            "capability": torch.backends.cpu.get_cpu_capability(), "python": platform.python_version(),
            "torch": torch.__version__, "fastai": fastai.__version__, "load": os.getloadavg()[0],
            "time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}
