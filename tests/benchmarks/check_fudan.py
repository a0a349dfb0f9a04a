"""What `fastlab check` finds in 7,440 handwritten characters, against brute force, and what it costs.

python tests/benchmarks/check_fudan.py FOLDER [--labels] [--montage PNG]
FOLDER holds <class>/<image>. Exact doubles and conflicts are held against a comparison of all decoded pixels with one
another. With --labels networks are trained too, and the first 15 `label` findings are drawn beside their look-alikes,
to be judged by eye. One process, one thread; prints one JSON line with wall and processor time."""
import argparse
import json
import os
import time
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from PIL import Image, ImageDraw

from fastlab.check.folder import check
from fastlab.images.decode import open_image

SHOWN, SIDE = 15, 100


def identical_pixels(folder):
    "{frozenset of files} with equal pixels: sorted into buckets by all their bytes, no digest in between."
    buckets = defaultdict(list)
    for path in sorted(folder.glob("*/*")):
        pixels = open_image(path, 3)
        buckets[pixels.shape, pixels.tobytes()].append(f"{path.parent.name}/{path.name}")
    return {frozenset(files) for files in buckets.values() if len(files) > 1}


def groups(findings, kind):
    return {frozenset(finding.files) for finding in findings.of(kind)}


def montage(folder, findings, path):
    "The suspects of the first `label` findings, each with its look-alikes, as one picture."
    found = findings.of("label")[:SHOWN]
    sheet = Image.new("RGB", (6 * SIDE + 200, len(found) * (SIDE + 22)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, finding in enumerate(found):
        told = f"{row + 1}. suggested: {finding.details['suggested']}"
        for column, file in enumerate(finding.files):
            picture = Image.fromarray(open_image(folder / file, 3)).resize((SIDE - 6,) * 2, Image.Resampling.NEAREST)
            sheet.paste(picture, (column * SIDE, row * (SIDE + 22)))
            pen.text((column * SIDE, row * (SIDE + 22) + SIDE - 5), file, "black")
        pen.text((5 * SIDE + 20, row * (SIDE + 22) + 40), told, "red")
    sheet.save(path)


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("folder", type=Path)
    words.add_argument("--labels", action="store_true")
    words.add_argument("--montage", type=Path)
    words.add_argument("--jobs", type=int, default=1)
    told = words.parse_args()
    if not told.folder.is_dir():
        print(json.dumps({"left_out": f"{told.folder}: no such folder"}))
        return
    begun, worked = time.perf_counter(), time.process_time()
    findings = check(told.folder, told.labels, jobs=told.jobs)
    wall, processor = time.perf_counter() - begun, time.process_time() - worked
    truth = identical_pixels(told.folder)
    conflicts = {group for group in truth if len({file.split("/")[0] for file in group}) > 1}
    if told.montage:
        montage(told.folder, findings, told.montage)
    print(json.dumps({
        "images": findings.images, "counts": findings.counts, "labels": told.labels, "jobs": told.jobs,
        "seconds": round(wall, 1), "processor_seconds": round(processor, 1),
        "identical_equal_brute_force": groups(findings, "identical") == truth, "identical": len(truth),
        "conflicts_equal_brute_force": groups(findings, "conflict") == conflicts, "conflicts": len(conflicts),
        "first_labels": [[finding.files[0], finding.details["suggested"]] for finding in findings.of("label")[:SHOWN]],
        "notes": findings.notes}, ensure_ascii=False))


if __name__ == "__main__":
    main()
