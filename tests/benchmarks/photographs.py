"""What photographs cost: ten crops, and 100,000 files decoded, kept and served, extrapolated from a made-up folder.

python tests/benchmarks/photographs.py crops [WIDTH]
    CPU time of ten-crop prediction over that of one view, the same images in turn, and its peak memory at two numbers
    of images, each in a process of its own.
python tests/benchmarks/photographs.py folder PLACE [COUNT]
    Draws COUNT (10,000) JPEGs of 400 × 300 into the new folder PLACE, decodes them to 256 × 256 in one process, then
    serves an epoch of random 224 crops from the memory map in another, which may take half a gigabyte more than it
    begins with (RLIMIT_DATA), less than the pixels. PLACE, which takes about 0.2 MB an image, is removed at the end.
Times are CPU seconds of one thread, so that other work on the machine counts for little. One JSON line last."""
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

MEASURED = "--measured"         # this file again, in a process whose memory is measured
ROUNDS, IMAGES = 5, 50
LIMIT = 1 << 29                 # bytes that the serving process may have beyond those that it begins with


def own_memory():
    "Peak and present memory in bytes: (pages that were ever resident at once, those now that no file stands behind)."
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, int(status["RssAnon"].split()[0]) * 1024


def bound_memory():
    "From here on the process gets LIMIT bytes more than it has now, memory maps included, and no more."
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    resource.setrlimit(resource.RLIMIT_DATA, (int(status["VmData"].split()[0]) * 1024 + LIMIT,) * 2)


def measured(*words):
    "The JSON line of this file called in a process of its own."
    called = [sys.executable, __file__, MEASURED, *map(str, words)]
    return json.loads(subprocess.run(called, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def network(width):
    from fastlab.nets import build
    torch.manual_seed(0)
    return build("alexnet2012", 10, 3, 224, width=width).to(memory_format=torch.channels_last).eval()


def predicted(net, images, ten_crop):
    "CPU seconds of one prediction."
    from fastlab.training.evaluate import scores
    begun = time.process_time()
    scores(net, images, (0.5,) * 3, (0.25,) * 3, 224, ten_crop=ten_crop, mirrored=True)
    return time.process_time() - begun


def crops(width=0.25):
    net = network(width)
    images = torch.randint(0, 256, (IMAGES, 256, 256, 3), dtype=torch.uint8)
    predicted(net, images, True)
    pairs = [(predicted(net, images, False), predicted(net, images, True)) for _ in range(ROUNDS)]
    ratios = [ten / one for one, ten in pairs]
    peaks = {count: measured("peak", width, count)["peak"] for count in (100, 400)}
    return {"width": width, "ratio": statistics.median(ratios), "ratios": ratios, "n": f"{ROUNDS} rounds of {IMAGES}",
            "peak_bytes": peaks}


def peak(width, count):
    "Peak memory of ten-crop prediction of so many images, which are one image many times and take no memory."
    photographs = torch.zeros(1, 256, 256, 3, dtype=torch.uint8).expand(int(count), -1, -1, -1)
    predicted(network(float(width)), photographs, True)
    return {"peak": own_memory()[0]}


def draw(place, count):
    "Gradients with coarse noise, as JPEGs in <class>/<image>; ten classes."
    rng = np.random.default_rng(0)
    for label in range(10):
        (place / str(label)).mkdir(parents=True)
    for number in range(count):
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((400, 300), Image.Resampling.BICUBIC).save(
            place / str(number % 10) / f"{number}.jpg", quality=85)


def decode(place, cache):
    "Decodes the folder in one process: CPU seconds and peak memory."
    from fastlab.images.cache import decode_all
    from fastlab.images.folder import read_folder
    folder, before = read_folder(place), time.process_time()
    decode_all(folder.files, 3, 256, cache, jobs=1)
    return {"seconds": time.process_time() - before, "peak": own_memory()[0]}


def serve(place, cache):
    "One epoch of random crops from the decoded array, with a bound on the memory that is the process's own."
    from fastlab.images.arrays import Arrays
    from fastlab.images.batches import arrays_dataloaders
    torch.set_num_threads(1)
    arrays = Arrays.from_folder(place, 3, 256, cache=cache)
    dls = arrays_dataloaders(arrays, 128, "crop+mirror", 224)
    bound_memory()
    before, most = time.process_time(), 0
    for _ in dls.train:
        most = max(most, own_memory()[1])
    return {"seconds": time.process_time() - before, "images": len(dls.train.dataset), "own": most,
            "pixels": arrays.images.nbytes}


def made_up(place, count=10_000):
    place = Path(place)
    if place.exists():
        sys.exit(f"{place} is there already; name a folder that is not.")
    try:
        draw(place / "images", count)
        files = sum(path.stat().st_size for path in (place / "images").rglob("*.jpg"))
        found = measured("decode", place / "images", place / "cache")
        kept = sum(path.stat().st_size for path in (place / "cache").rglob("*") if path.is_file())
        served = measured("serve", place / "images", place / "cache")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    scale = 100_000 / count
    return {"count": count, "files_bytes": files, "decode_cpu_seconds": found["seconds"], "decode_peak": found["peak"],
            "cache_bytes": kept, "served": served,
            "of_100000": {"decode_cpu_minutes": found["seconds"] * scale / 60, "cache_gigabytes": kept * scale / 1e9}}


if __name__ == "__main__":
    torch.set_num_threads(1)
    what, *rest = sys.argv[1:]
    if what == MEASURED:
        print(json.dumps({"peak": peak, "decode": decode, "serve": serve}[rest[0]](*rest[1:])))
    elif what == "crops":
        print(json.dumps(crops(*map(float, rest))))
    else:
        print(json.dumps(made_up(*rest[:1], *map(int, rest[1:]))))
