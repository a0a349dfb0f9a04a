"""The server as a process of its own: its address, its visitors, its memory, its end."""
import asyncio
import re
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from fastlab.errors import OptionError
from fastlab.page import app as app_file
from fastlab.page.app import app_for
from fastlab.page.serving import PORT, Place, listening

VISITORS = 16


def test_the_first_line_is_an_address_that_answers_on_this_machine_alone(served):
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", served.address)
    assert "Draw a character" in httpx.get(served.address).text
    address, port = own_address(), int(served.address.rpartition(":")[2].strip("/"))
    if address is not None:
        with socket.socket() as other:
            other.settimeout(1)
            assert other.connect_ex((address, port)) != 0


def own_address():
    "An address of this machine that is not its own loop, or None where it has no network."
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return None


def test_sixteen_visitors_at_once_all_get_the_answer_of_one_alone(served, make):
    question = {"strokes": make.cross, "layers": "all"}
    alone = httpx.post(f"{served.address}api/read", json=question).json()["models"][0]["probabilities"]
    together = threading.Barrier(VISITORS)

    def visit(number):
        with httpx.Client(timeout=20) as client:
            together.wait()
            return [client.post(f"{served.address}api/read", json=question) for _ in range(8)]

    with ThreadPoolExecutor(VISITORS) as visitors:
        responses = [response for found in visitors.map(visit, range(VISITORS)) for response in found]
    assert {response.status_code for response in responses} == {200}
    for response in responses:
        assert response.json()["models"][0]["probabilities"] == alone


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory of a process is read from /proc")
def test_memory_stays_flat_over_a_thousand_requests(served, make):
    with httpx.Client(timeout=20) as client:
        def ask(times):
            for _ in range(times):
                assert client.post(f"{served.address}api/read", json={"strokes": make.cross}).status_code == 200

        ask(150)
        before = served.resident()
        ask(1000)
    assert served.resident() - before < 12


def test_a_visitor_who_sends_slowly_holds_up_nobody(served, make):
    port = int(served.address.rpartition(":")[2].strip("/"))
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /api/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 1000\r\n\r\n{")
        start = time.perf_counter()
        assert httpx.post(f"{served.address}api/read", json={"strokes": make.cross}).status_code == 200
        assert time.perf_counter() - start < 2


def test_noise_on_the_wire_is_refused_and_the_server_lives_on(served):
    port = int(served.address.rpartition(":")[2].strip("/"))
    for noise in (b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"GET  \r\n\r\n",
                  b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
            try:
                wire.sendall(noise)
                assert b" 500 " not in wire.recv(200)
            except ConnectionError:
                pass
    assert httpx.get(served.address).status_code == 200


def test_a_body_that_never_arrives_is_given_up(visitor, monkeypatch):
    monkeypatch.setattr(app_file, "PATIENCE", 0.05)

    async def never(request):
        await asyncio.sleep(60)

    monkeypatch.setattr(app_file, "_collected", never)
    response = visitor.post("/api/read", content=b"{}", headers={"Content-Type": "application/json"})
    assert response.status_code == 408


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_ends_it_cleanly_even_with_visitors(serve, model, tmp_path):
    running = serve([model], tmp_path)
    port = int(running.address.rpartition(":")[2].strip("/"))
    try:
        with socket.create_connection(("127.0.0.1", port)) as slow, httpx.Client() as idle:
            slow.sendall(b"POST /api/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
                         b"Content-Length: 9\r\n\r\n")
            idle.get(running.address)
            start = time.perf_counter()
            running.process.send_signal(signal.SIGINT)
            out, said = running.process.communicate(timeout=15)
        assert running.process.returncode == 130
        assert time.perf_counter() - start < 8
        assert out == ""
        assert "Stopped" not in said
        assert "Traceback" not in said
        assert said.rstrip().endswith("Closed.")
    finally:
        running.close()


def test_a_host_that_others_can_reach_asks_for_a_token(reader):
    place = Place("0.0.0.0", 0)
    address = f"http://10.0.0.5:{place.port}"
    with place.listener, TestClient(place.guarded(app_for([reader])), base_url=address) as client:
        assert not place.local
        assert len(place.token) >= 32
        assert place.address.endswith(f"/?token={place.token}")
        assert "0.0.0.0" not in place.address
        assert client.get("/").status_code == 401
        assert client.get("/api/about").status_code == 401
        assert client.get(f"/?token={place.token}").status_code == 200
        assert client.get("/api/about").status_code == 200
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_two_servers_make_different_tokens():
    places = [Place("0.0.0.0", 0) for _ in range(2)]
    for place in places:
        place.listener.close()
    assert places[0].token != places[1].token


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_this_machine_alone_needs_no_token_unless_one_is_given(host):
    place = Place(host, 0)
    place.listener.close()
    assert place.local
    assert place.token is None
    named = Place(host, 0, token="mine")
    named.listener.close()
    assert named.address.endswith("/?token=mine")


@pytest.mark.parametrize("token", ["a+b", "a&b=c", "a#b", "%41", "two words", 'a;b,"c\\', "a/b?c"])
def test_the_address_carries_any_token_whole(reader, token):
    place = Place("127.0.0.1", 0, token)
    base = f"http://127.0.0.1:{place.port}"
    with place.listener, TestClient(place.guarded(app_for([reader])), base_url=base) as client:
        assert client.get(place.address).status_code == 200
        assert client.get("/api/about").status_code == 200


def test_a_port_in_use_is_said_and_without_a_wish_another_is_taken():
    with listening("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=f"--port {port}: in use"):
            listening("127.0.0.1", port)
    with listening("127.0.0.1") as first:
        first.listen()
        with listening("127.0.0.1") as second:
            assert second.getsockname()[1] not in (PORT, first.getsockname()[1])


@pytest.mark.parametrize(("host", "port", "said"), [("127.0.0.1", 70000, "--port"), ("127.0.0.1", -1, "--port"),
                                                    ("no.such.host.invalid", 0, "--host"), ("192.0.2.1", 0, "--host"),
                                                    ("my..host", 0, "--host"), ("x" * 64 + ".org", 0, "--host")])
def test_a_host_or_port_that_cannot_be_is_said(host, port, said):
    with pytest.raises(OptionError, match=said):
        listening(host, port)
