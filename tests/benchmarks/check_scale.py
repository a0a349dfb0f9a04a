"""`fastlab check` on tens of thousands of images: false alarms, doubles against brute force, time and memory.

python tests/benchmarks/check_scale.py FOLDER [COUNT…]        COUNT: by default 10000 35000 70000
FOLDER holds <split>/<class>/<image>, such as the 70,000 of MNIST. For each COUNT a folder of links to so many of them,
spread evenly, is checked without labels in a process of its own with one thread. Told: false alarms of `unreadable` and
`format`; whether `identical` equals a comparison of all decoded bytes; wall and processor time; the largest resident
memory. From the counts: growth of memory over growth of the uint8 data, the exponent with which processor time grows,
and from it the processor time of 100,000 images. Prints a JSON line a count, and one for all."""
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np


def linked(folder, count, place):
    "A folder of links to `count` images of `folder`, spread evenly."
    files = sorted(path for path in folder.glob("*/*/*") if path.is_file())
    for row in np.unique(np.linspace(0, len(files) - 1, count).round().astype(int)):
        target = place / files[row].relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(files[row].resolve())
    return place


def measured(place):
    "What one check tells and costs, measured in this process; brute force comes after the memory was read."
    from fastlab.check.folder import check
    from fastlab.images.decode import open_image
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun, worked = time.perf_counter(), time.process_time()
    findings = check(place, labels=False, jobs=1)
    wall, processor = time.perf_counter() - begun, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    buckets, data = defaultdict(list), 0
    for path in sorted(place.glob("*/*/*")):
        pixels = open_image(path)
        data += pixels.nbytes
        buckets[pixels.shape, pixels.tobytes()].append(str(path.relative_to(place)))
    truth = {frozenset(files) for files in buckets.values() if len(files) > 1}
    return {"images": findings.images, "seconds": round(wall, 1), "processor_seconds": round(processor, 1),
            "start_MiB": round(before / 1024, 1), "peak_MiB": round(peak / 1024, 1), "data_MiB": round(data / 2**20, 2),
            "false_unreadable": findings.counts["unreadable"], "false_format": findings.counts["format"],
            "identical": len(truth), "counts": findings.counts,
            "identical_equal_brute_force": {frozenset(one.files) for one in findings.of("identical")} == truth}


def compared(told):
    "How memory and time grow from the least to the largest count."
    first, last = told[0], told[-1]
    grown = last["data_MiB"] - first["data_MiB"]
    exponent = math.log(last["processor_seconds"] / first["processor_seconds"]) / math.log(
        last["images"] / first["images"])
    return {"memory_grown_over_data_grown": round((last["peak_MiB"] - first["peak_MiB"]) / grown, 2),
            "time_grows_with_power": round(exponent, 2),
            "processor_seconds_100000_images": round(
                last["processor_seconds"] * (100_000 / last["images"]) ** max(1.0, exponent))}


def main(folder, counts):
    told = []
    for count in counts:
        with tempfile.TemporaryDirectory() as place:
            linked(folder, count, Path(place) / "images")
            done = subprocess.run([sys.executable, __file__, "--measure", str(Path(place) / "images")], check=True,
                                  capture_output=True, text=True)
        told.append(json.loads(done.stdout.splitlines()[-1]))
        print(json.dumps(told[-1]), flush=True)
    if len(told) > 1:
        print(json.dumps(compared(told)))


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        print(json.dumps(measured(Path(sys.argv[2]))))
    elif not Path(sys.argv[1]).is_dir():
        print(json.dumps({"left_out": f"{sys.argv[1]}: no such folder"}))
    else:
        main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or [10_000, 35_000, 70_000])
