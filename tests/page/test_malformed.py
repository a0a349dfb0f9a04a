"""Requests that nobody should send, drawn at random and straight to the application: never a 500, never a hang.

2,000 here; FASTLAB_MALFORMED asks for another number (see tests/benchmarks/page_malformed.py)."""
import asyncio
import io
import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from fastlab.page.app import app_for
from fastlab.page.door import Door
from fastlab.page.keeping import Keeping

TIMES = int(os.environ.get("FASTLAB_MALFORMED", "2000"))
LONGEST = 10.0      # seconds that any answer may take
ALLOWED = {200, 201, 303, 400, 401, 403, 404, 405, 413, 415, 421}


def image_file(kind):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)).save(file, kind)
    return file.getvalue()


FILES = [image_file(kind) for kind in ("PNG", "BMP", "JPEG", "GIF", "TIFF", "WEBP", "PPM")]
numbers = st.one_of(st.integers(), st.floats(), st.floats(-3, 4), st.booleans(), st.just(10 ** 400))
plain = st.one_of(st.none(), numbers, st.text(max_size=12))
tangled = st.recursive(plain, lambda inner: st.one_of(
    st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)), max_leaves=12)
points = st.lists(st.one_of(st.floats(-2, 3), st.integers(-2, 3), plain), min_size=1, max_size=3)
strokes = st.lists(st.lists(st.one_of(points, plain), max_size=5), max_size=5)
spots = st.lists(st.floats(-2, 3), min_size=2, max_size=2)
good = st.lists(st.lists(spots, min_size=1, max_size=5), min_size=1, max_size=5)
drawings = st.fixed_dictionaries({"strokes": st.one_of(good, strokes, tangled)}, optional={
    "pen": st.one_of(st.floats(0.25, 4), plain), "fit": st.one_of(st.booleans(), plain), "looked": st.booleans(),
    "layers": st.one_of(st.sampled_from(["none", "blocks", "all"]), plain),
    "class": st.one_of(st.sampled_from(["1", "12", "../1"]), tangled)})


@st.composite
def damaged_files(draw):
    "An image file with some bytes changed, cut off or repeated."
    content = bytearray(draw(st.sampled_from(FILES)))
    for place, value in draw(st.lists(st.tuples(st.integers(0, 10 ** 6), st.integers(0, 255)), max_size=12)):
        content[place % len(content)] = value
    return bytes(content[:draw(st.integers(0, len(content)))] * draw(st.sampled_from([1, 1, 1, 3])))


def as_bytes(value):
    return json.dumps(value).encode("ascii")


bodies = st.one_of(st.binary(max_size=200), drawings.map(as_bytes), tangled.map(as_bytes), damaged_files(),
                   st.sampled_from([b"[" * 50_000, b'{"strokes":' * 9000, b"\0" * 1_000_001, b"\xef\xbb\xbf{}"]))
paths = st.one_of(st.sampled_from(["/", "/api/read", "/api/keep", "/api/about", "/api/example", "/static/main.js",
                                   "/static/../app.py", "/static//etc/passwd", "/static/\0", "/static/" + "a" * 300]),
                  st.text(max_size=20).map(lambda text: "/" + text), st.text(max_size=20).map(lambda t: "/static/" + t))
header_bytes = st.binary(max_size=20)
kinds = st.one_of(st.sampled_from([b"application/json", b"image/png", b"application/octet-stream", b"image/svg+xml"]),
                  header_bytes)
headers = st.lists(st.one_of(
    kinds.map(lambda kind: (b"content-type", kind)), kinds.map(lambda kind: (b"content-type", kind)),
    st.sampled_from([(b"origin", b"http://127.0.0.1:8028"), (b"origin", b"http://evil.example"),
                     (b"host", b"evil.example"), (b"content-length", b"-1"), (b"content-length", b"9" * 400),
                     (b"content-length", "²".encode()), (b"transfer-encoding", b"chunked"), (b"range", b"bytes=9-1,5-"),
                     (b"if-modified-since", b"never"), (b"if-none-match", b"*")]),
    st.tuples(st.sampled_from([b"host", b"origin", b"cookie", b"range", b"sec-fetch-site", b"content-length",
                               b"accept-encoding", b"if-modified-since", b"if-range"]), header_bytes)), max_size=4)
queries = st.one_of(st.just(b""), st.binary(max_size=30), st.sampled_from(
    [b"class=1", b"class=..%2f1", b"layers=%ff", b"looked=%00", b"name=%E5%8D%9A", b"layers=all&looked=false"]))
wild = st.fixed_dictionaries({
    "method": st.sampled_from(["POST", "GET", "GET", "HEAD", "PUT", "OPTIONS", "DELETE", "TRACE", "BREW"]),
    "path": paths, "query": queries, "headers": headers, "body": bodies, "cut": st.booleans()})
rightly = st.one_of(st.tuples(st.just(b"application/json"), st.one_of(drawings, drawings, tangled).map(as_bytes)),
                    st.tuples(st.just(b"image/png"), damaged_files()), st.tuples(kinds, bodies))
nearly = st.builds(lambda path, query, kind_and_body, more, cut: {
    "method": "POST", "path": path, "query": query, "headers": [(b"content-type", kind_and_body[0]), *more],
    "body": kind_and_body[1], "cut": cut}, st.sampled_from(["/api/read", "/api/keep"]), queries, rightly,
    st.one_of(st.just([]), st.just([]), headers), st.sampled_from([False] * 7 + [True]))
requests = st.one_of(nearly, nearly, nearly, wild)


async def ask(app, told):
    "The messages with which the application answers a request, driven by hand: any bytes can be sent."
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": told["method"],
             "path": told["path"], "raw_path": told["path"].encode("utf-8", "replace"), "root_path": "",
             "scheme": "http", "query_string": told["query"],
             "headers": [(b"host", b"127.0.0.1:8028"), *told["headers"]],
             "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8028)}
    half = len(told["body"]) // 2
    incoming = [{"type": "http.request", "body": told["body"][:half], "more_body": True},
                {"type": "http.disconnect"} if told["cut"] else {"type": "http.request", "body": told["body"][half:]}]
    sent = []

    async def receive():
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await asyncio.wait_for(app(scope, receive, send), LONGEST)
    return sent


@pytest.fixture(scope="module")
def page(reader, tmp_path_factory):
    "(a way to ask, the folder that is kept in): one event loop for all requests, as in the server."
    folder = tmp_path_factory.mktemp("kept")
    app = Door(app_for([reader], Keeping(folder, dict(zip(reader.classes, reader.names)))))
    with asyncio.Runner() as loop:
        yield lambda told: loop.run(ask(app, told)), folder


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_malformed_requests_are_answered_in_time_and_never_with_a_fault(page):
    asked, folder = page
    statuses = {}

    @settings(max_examples=TIMES, derandomize=True, database=None, deadline=None,
              suppress_health_check=list(HealthCheck))
    @given(requests)
    def send(told):
        sent = asked(told)
        status = sent[0]["status"]
        body = b"".join(message.get("body", b"") for message in sent[1:])
        statuses[status] = statuses.get(status, 0) + 1
        assert status in ALLOWED | {206, 304, 416}
        assert b"Traceback" not in body
        assert b"fastlab/page" not in body

    send()
    assert statuses.keys() >= {200, 400, 403, 404, 405, 413, 415, 421}
    assert statuses[400] > TIMES / 10       # enough of them came as far as the drawing or the image
    assert statuses[200] + statuses.get(201, 0) > TIMES / 50
    assert {path.name for path in folder.iterdir()} <= {"1", "12", "classes.json"}
