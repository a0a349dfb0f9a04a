"""How long the page's server takes for one answer: `python tests/benchmarks/page_latency.py [MODEL…] [--requests N]`.

Two times, p50, p95 and p99 in milliseconds over N drawings, each different: inside the application (reading the JSON,
inking the strokes, the network, feature maps, Grad-CAM, writing the JSON), and over the wire of a real server with a
connection that is kept. Without a MODEL, fastlab's LeNet with weights from a seed. The mark: p95 under 30 ms, LeNet."""
import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import httpx
import numpy as np
import torch

from fastlab.nets import build
from fastlab.page.command import app_of
from fastlab.training.modelfile import Model, save_model
from fastlab.training.recipe import Recipe

LIMIT = 30.0        # milliseconds, p95
START = "import sys; from fastlab.page.command import draw_command; draw_command(sys.argv[1:], port=0, no_open=True)"
ASKED = {"answer alone": {"layers": "none", "looked": False}, "as the page asks": {}, "every step": {"layers": "all"}}


def untrained(folder):
    "A LeNet's file, weights drawn from seed 0."
    torch.manual_seed(0)
    recipe = Recipe().resolved(1, 28, "fp32")
    told = {"size": 28, "crop": 28, "channels": 1, "mean": [0.888], "deviation": [0.315]}
    classes = tuple(map(str, range(1, 13)))
    path = Path(folder) / "lenet.safetensors"
    save_model(path, Model(build("lenet", 12).eval(), recipe, classes, classes, told))
    return path


def drawings(count, seed=0):
    "Bodies of requests: ten strokes of twenty points each, wandering over the sheet."
    random = np.random.default_rng(seed)
    steps = random.normal(0, 0.03, (count, 10, 20, 2)).cumsum(2) + random.uniform(0.2, 0.8, (count, 10, 1, 2))
    return [np.clip(strokes, -0.5, 1.5).round(4).tolist() for strokes in steps]


async def answered(app, body):
    "The status of one request, driven without a wire."
    scope = {"type": "http", "method": "POST", "path": "/api/read", "raw_path": b"/api/read", "root_path": "",
             "query_string": b"", "headers": [(b"content-type", b"application/json")]}
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"]


def inside(paths, bodies):
    "Milliseconds a request within the application."
    app, times = app_of(paths), []
    with asyncio.Runner() as loop:
        for body in bodies:
            start = perf_counter()
            assert loop.run(answered(app, body)) == 200
            times.append(1000 * (perf_counter() - start))
    return times


def over_the_wire(paths, bodies):
    "Milliseconds a request of a server in a process of its own."
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", START, *map(str, paths)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, env=os.environ) as server:
        address, times = server.stdout.readline().strip(), []
        try:
            with httpx.Client(timeout=30, transport=httpx.HTTPTransport(retries=20)) as client:
                for body in bodies:
                    start = perf_counter()
                    response = client.post(f"{address}api/read", content=body,
                                           headers={"Content-Type": "application/json"})
                    assert response.status_code == 200
                    times.append(1000 * (perf_counter() - start))
        finally:
            server.terminate()
    return times


def said(name, times):
    "Prints one line of the table and returns p95; the first tenth, in which everything is loaded, is left out."
    kept = times[len(times) // 10:]
    p50, p95, p99 = np.percentile(kept, [50, 95, 99])
    print(f"{name:<34} p50 {p50:6.1f}   p95 {p95:6.1f}   p99 {p99:6.1f}   n {len(kept)}", flush=True)
    return p95


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--requests", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths, worst = options.models or [untrained(folder)], 0.0
        print(f"milliseconds a request; {torch.get_num_threads()} threads of {os.cpu_count()} processors; "
              f"{', '.join(path.name for path in paths)}")
        for name, asked in ASKED.items():
            bodies = [json.dumps({"strokes": strokes, **asked}).encode() for strokes in drawings(options.requests)]
            worst = max(worst, said(f"{name}, in the application", inside(paths, bodies)),
                        said(f"{name}, over the wire", over_the_wire(paths, bodies)))
    print(f"worst p95 {worst:.1f} ms; the mark is {LIMIT:.0f} ms: {'kept' if worst < LIMIT else 'missed'}")


if __name__ == "__main__":
    main()
