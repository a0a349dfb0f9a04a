"""Networks with weights drawn from a seed, the page before them, as an application and as a running server."""
import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

from fastlab.nets import build
from fastlab.page.app import app_for
from fastlab.page.door import Door
from fastlab.page.keeping import Keeping
from fastlab.page.reading import Reader
from fastlab.training.modelfile import Model, save_model
from fastlab.training.recipe import Recipe

NAMES = tuple("博学笃志切问近思自由无用")
sys.path.insert(0, str(Path(__file__).parent))      # for browsing.py, beside this file
CLASSES = tuple(map(str, range(1, 13)))
START = "from fastlab.cli import main; main()"
CROSS = [[[0.1, 0.5], [0.5, 0.5], [0.9, 0.5]], [[0.5, 0.1], [0.5, 0.9]]]


def model_of(net="lenet", size=28, crop=None, channels=1, mean=0.888, deviation=0.315, seed=0, classes=CLASSES,
             names=NAMES):
    "A Model whose weights nobody trained."
    crop = crop or size
    recipe = Recipe(net=net, epochs=1).resolved(channels, size, "fp32").changed(crop=crop)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build(net, len(classes), channels, crop).eval()
    told = {"size": size, "crop": crop, "channels": channels, "mean": [mean] * channels,
            "deviation": [deviation] * channels}
    return Model(network, recipe, tuple(classes), tuple(names), told)


def visitor_of(readers, keeping=None, **door):
    "A visitor with a browser's manners before the page of some Readers."
    app = Door(app_for(readers, keeping), **door)
    return TestClient(app, base_url="http://127.0.0.1:8028", raise_server_exceptions=False)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


class Served:
    "A running `fastlab draw`: its `address`, `process`, and the folder that it keeps drawings in."

    def __init__(self, models, folder):
        paths = [folder / f"net{number}.safetensors" for number in range(len(models))]
        for path, model in zip(paths, models):
            save_model(path, model)
        self.folder = folder / "kept"
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, "draw", *paths, "--port", "0", "--no-open", "--collect", self.folder],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        self.address = self.process.stdout.readline().strip()
        self.wait()

    def wait(self):
        for _ in range(200):
            try:
                return httpx.get(self.address)
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"no answer from {self.address}: {self.process.stderr.read()}")

    def resident(self):
        "Megabytes of memory that the process holds."
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="session")
def model():
    return model_of()


@pytest.fixture(scope="session")
def reader(model):
    return Reader(model, "lenet")


@pytest.fixture
def visitor(reader):
    with visitor_of([reader]) as client:
        yield client


@pytest.fixture
def keeper(reader, tmp_path):
    "(client, folder) of a page that keeps drawings."
    folder = tmp_path / "kept"
    with visitor_of([reader], Keeping(folder, dict(zip(CLASSES, NAMES)))) as client:
        yield client, folder


@pytest.fixture
def make():
    "The functions above, for tests that need networks, visitors or images of their own."
    return type("Make", (), {"model": staticmethod(model_of), "visitor": staticmethod(visitor_of),
                             "png": staticmethod(png), "cross": CROSS})


@pytest.fixture(scope="session")
def serve():
    "Starts a server: `serve(models, folder)` gives a Served, which the caller closes."
    return Served


@pytest.fixture(scope="session")
def chromium():
    "A headless Chromium, shared by all tests; where there is none, the skip says what is missing."
    pytest.importorskip("selenium", reason="selenium is not installed: pip install selenium")
    from browsing import Browser, missing
    if missing():
        pytest.skip(missing())
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def served(serve, model, tmp_path_factory):
    "A running server with one network."
    running = serve([model], tmp_path_factory.mktemp("served"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def served_two(serve, tmp_path_factory):
    "A running server with two networks of different kinds and sizes."
    running = serve([model_of(), model_of("lenet-classic", 32, seed=1)], tmp_path_factory.mktemp("two"))
    yield running
    running.close()


@pytest.fixture
def browser(chromium):
    "The browser, for one test; at its end the console must be free of complaints and all addresses the page's own."
    yield chromium
    assert chromium.complaints() == []
    assert chromium.strangers() == []
