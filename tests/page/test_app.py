"""The page's server as a visitor meets it: readings, keeping, refusals, and the files of the page."""
import base64
import json
import re

import numpy as np
import pytest

from fastlab.images.decode import open_image
from fastlab.page.app import MOST_BYTES, STATIC
from fastlab.page.keeping import Keeping
from fastlab.page.reading import Reader
from fastlab.training.predict import predict

AS_PNG = {"Content-Type": "image/png"}


def seen_in(answer):
    told = answer["seen"]
    raw = np.frombuffer(base64.b64decode(told["pixels"]), np.uint8)
    return raw.reshape(told["height"], told["width"], told["channels"])


def test_a_drawing_is_read_as_predict_reads_its_image(visitor, model, make):
    answer = visitor.post("/api/read", json={"strokes": make.cross}).json()["models"][0]
    expected = predict(model, [seen_in(answer)[:, :, 0]]).probabilities[0]
    assert answer["probabilities"] == pytest.approx(expected, abs=2e-6)
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_an_image_is_read_as_predict_reads_its_file(visitor, model, make, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (50, 80), np.uint8)
    (tmp_path / "noise.png").write_bytes(make.png(noise))
    answer = visitor.post("/api/read", content=make.png(noise), headers=AS_PNG).json()["models"][0]
    assert answer["probabilities"] == pytest.approx(predict(model, tmp_path / "noise.png").probabilities[0], abs=2e-6)


def test_two_networks_answer_side_by_side_each_with_its_own_input(make):
    readers = [Reader(make.model(), "one"), Reader(make.model("alexnet", 36, crop=32, seed=1), "two")]
    with make.visitor(readers) as client:
        about = client.get("/api/about").json()["models"]
        answers = client.post("/api/read", json={"strokes": make.cross}).json()["models"]
    assert [told["title"] for told in about] == ["one", "two"]
    assert [seen_in(answer).shape for answer in answers] == [(28, 28, 1), (32, 32, 1)]
    assert answers[0]["probabilities"] != answers[1]["probabilities"]


def test_about_tells_classes_with_their_names_and_that_nothing_is_kept(visitor):
    about = visitor.get("/api/about").json()
    assert about["models"][0]["names"] == list("博学笃志切问近思自由无用")
    assert about["models"][0]["parameters"] == 32_172
    assert about["keeping"] is None


def test_where_no_class_can_be_a_folder_the_list_of_those_that_are_kept_is_empty(make, tmp_path):
    model = make.model(classes=("../up", "a/b"), names=("up", "b"))
    with make.visitor([Reader(model, "unsafe")], Keeping(tmp_path, dict(zip(model.classes, model.names)))) as client:
        assert client.get("/api/about").json()["keeping"] == []


def test_a_kept_drawing_is_read_from_its_file_as_it_was_on_the_page(keeper, model, make):
    client, folder = keeper
    answer = client.post("/api/read", json={"strokes": make.cross}).json()["models"][0]
    response = client.post("/api/keep", json={"strokes": make.cross, "class": "7"})
    path = folder / response.json()["kept"]
    assert response.status_code == 201
    assert path.parent == folder / "7"
    assert np.array_equal(open_image(path), seen_in(answer)[:, :, 0])
    assert predict(model, path).probabilities[0] == pytest.approx(answer["probabilities"], abs=2e-6)


def test_an_image_can_be_kept(keeper, make):
    client, folder = keeper
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    response = client.post("/api/keep?class=12", content=make.png(noise), headers=AS_PNG)
    assert np.array_equal(open_image(folder / response.json()["kept"]), noise)


@pytest.mark.parametrize("name", ["13", "../7", "", None, 7, ["7"], "\ud800", "/etc/passwd", "7\0"])
def test_unknown_classes_and_paths_are_refused_and_write_nothing(keeper, make, name):
    client, folder = keeper
    told = json.dumps({"strokes": make.cross, "class": name})
    response = client.post("/api/keep", content=told, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert "class" in response.json()["error"].lower()
    assert not folder.exists()


def test_nothing_is_kept_where_nobody_asked_for_it(visitor, make):
    response = visitor.post("/api/keep", json={"strokes": make.cross, "class": "7"})
    assert response.status_code == 404
    assert "--collect" in response.json()["error"]


def test_a_disk_that_refuses_is_said(keeper, make):
    client, folder = keeper
    folder.mkdir()
    (folder / "7").write_text("in the way")
    response = client.post("/api/keep", json={"strokes": make.cross, "class": "7"})
    assert response.status_code == 507
    assert "7" in response.json()["error"]


@pytest.mark.parametrize("address", ["/api/read", "/api/keep"])
def test_bodies_over_a_megabyte_are_refused_whether_or_not_they_say_so(keeper, address):
    client, _ = keeper
    headers = AS_PNG
    told = client.post(address, content=b"\0" * (MOST_BYTES + 1), headers=headers)
    untold = client.post(address, content=(b"\0" * 65536 for _ in range(20)), headers=headers)
    lying = client.post(address, content=b"\0" * 10, headers={**headers, "Content-Length": "9" * 30})
    assert (told.status_code, untold.status_code, lying.status_code) == (413, 413, 413)
    assert "1 MB" in told.json()["error"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_of_another_site_could_send_is_refused(visitor, kind):
    assert visitor.post("/api/read", content=b"{}", headers={"Content-Type": kind}).status_code == 415


@pytest.mark.parametrize(("method", "address", "status"), [
    ("GET", "/api/read", 405), ("DELETE", "/", 405), ("GET", "/api/nothing", 404), ("GET", "/static/none.js", 404),
    ("GET", "/static/../app.py", 404), ("GET", "/static/%2e%2e/app.py", 404), ("GET", "/static/..%2fapp.py", 404),
    ("GET", "/static//etc/passwd", 404), ("GET", "/static/", 404)])
def test_what_is_not_there_is_not_there(visitor, method, address, status):
    assert visitor.request(method, address).status_code == status


def test_a_mistake_is_told_in_a_sentence_without_names_of_files_or_code(visitor):
    response = visitor.post("/api/read", content=b"no image", headers=AS_PNG)
    assert response.status_code == 400
    assert response.json()["error"].startswith("The image: not an image that can be read")


def test_a_network_that_fails_tells_the_visitor_nothing_of_its_code(make):
    class Failing(Reader):
        def read(self, *asked):
            raise RuntimeError("secret detail")

    with make.visitor([Failing(make.model(), "failing")]) as client:
        response = client.post("/api/read", json={"strokes": make.cross})
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert "content-security-policy" in response.headers


def test_the_page_holds_no_inline_code_and_no_address_of_another_site(visitor):
    page = visitor.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    for file in sorted(STATIC.iterdir()):
        text = file.read_text("utf-8")
        assert set(re.findall(r"https?://[^\s\"')]+", text)) <= {"http://www.w3.org/2000/svg"}, file.name


def test_every_file_that_the_page_names_is_served_with_its_kind(visitor):
    kinds = {"js": "javascript", "css": "text/css", "svg": "image/svg+xml"}
    text = "".join(file.read_text("utf-8") for file in STATIC.iterdir())
    named = {*re.findall(r"/static/([\w.]+)", text), *re.findall(r"from '\./([\w.]+)'", text)}
    assert {file.name for file in STATIC.iterdir()} - named == {"page.html"}
    for name in named:
        response = visitor.get(f"/static/{name}")
        assert response.status_code == 200
        assert kinds[name.rpartition(".")[2]] in response.headers["content-type"]


def test_every_part_that_the_script_asks_for_is_on_the_page(visitor):
    page = visitor.get("/").text
    script = (STATIC / "main.js").read_text("utf-8")
    for name in re.findall(r"\bat\('([\w-]+)'\)", script):
        assert f'id="{name}"' in page
