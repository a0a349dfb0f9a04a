"""In a real browser: drawing, taking back, images, two networks. What the page shows is held against `predict` on the
very pixels that it shows as given to the network."""
import base64

import numpy as np
import pytest

from fastlab.images.decode import open_image
from fastlab.training.predict import predict

CROSS = [[(0.1, 0.5), (0.5, 0.52), (0.9, 0.5)], [(0.5, 0.1), (0.48, 0.5), (0.5, 0.9)]]
ROOF = [[(0.2, 0.4), (0.5, 0.15), (0.8, 0.4)]]
HAND_OVER = """
const bytes = Uint8Array.from(atob(arguments[0]), sign => sign.charCodeAt(0)), data = new DataTransfer()
data.items.add(new File([bytes], 'image.png', { type: 'image/png' }))
const how = { bubbles: true, cancelable: true }
const event = arguments[1] === 'paste' ? new ClipboardEvent('paste', { clipboardData: data, ...how })
  : new DragEvent(arguments[1], { dataTransfer: data, ...how })
document.body.dispatchEvent(event)"""


@pytest.fixture
def page(browser, served):
    browser.open(served.address)
    return browser


def hand_over(page, content, event):
    page.driver.execute_script(HAND_OVER, base64.b64encode(content).decode(), event)
    page.until(lambda: "drawn" in page.part("frame").get_attribute("class"))
    page.settle()


def percent(share):
    return "100 %" if share >= 0.9995 else "0 %" if share < 0.0005 else f"{100 * share:.1f} %"


def shown_by(page, model, card=0):
    "Whether the card's answer is that of the network for the pixels that the card shows."
    shares = predict(model, [page.seen(card)]).probabilities[0].astype(float)
    told = page.shown()[card]
    return told["stamp"] == model.names[shares.argmax()] and [row[0] for row in told["bars"]] == list(model.names) \
        and all(abs(float(row[2].split()[0]) - 100 * share) < 0.06 for row, share in zip(told["bars"], shares))


@pytest.mark.parametrize("kind", ["mouse", "pen", "touch"])
def test_a_drawing_is_read_with_any_pointer(page, model, kind):
    assert page.shown()[0]["waiting"]
    page.draw(CROSS, kind)
    seen = page.seen()
    assert (seen < 128).sum() > 30
    assert seen[12:16, 5].min() < 128
    assert seen[5, 12:16].min() < 128
    assert seen[4, 4] == 255
    assert shown_by(page, model)


def test_undo_redo_and_clear_go_from_stroke_to_stroke(page):
    page.draw(CROSS[:1])
    one = page.seen()
    page.draw(CROSS[1:])
    two = page.seen()
    page.part("undo").click()
    page.settle()
    assert np.array_equal(page.seen(), one)
    page.part("redo").click()
    page.settle()
    assert np.array_equal(page.seen(), two)
    page.part("clear").click()
    page.settle()
    assert page.shown()[0]["waiting"]
    assert not page.part("clear").is_enabled()
    page.part("undo").click()
    page.settle()
    assert np.array_equal(page.seen(), two)
    page.draw(ROOF)
    assert not page.part("redo").is_enabled()


def test_a_second_finger_does_not_draw(page):
    page.driver.execute_script("""const sheet = document.getElementById('sheet'), box = sheet.getBoundingClientRect()
        sheet.setPointerCapture = () => {}
        const send = (kind, id, x) => sheet.dispatchEvent(new PointerEvent(kind, { pointerId: id, button: 0,
          bubbles: true, clientX: box.x + x * box.width, clientY: box.y + box.height / 2 }))
        send('pointerdown', 1, .2); send('pointerdown', 2, .9); send('pointermove', 2, .95); send('pointermove', 1, .5)
        send('pointerup', 2, .95); send('pointermove', 1, .6); send('pointerup', 1, .6)""")
    page.settle()
    columns = np.flatnonzero((page.seen() < 128).any(0))
    assert len(columns) == columns[-1] - columns[0] + 1


@pytest.mark.parametrize("event", ["paste", "drop"])
def test_an_image_is_pasted_or_dropped_and_drawing_takes_it_away(page, model, make, event):
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    hand_over(page, make.png(noise), event)
    assert np.array_equal(page.seen(), noise)
    assert shown_by(page, model)
    page.draw(ROOF)
    assert not np.array_equal(page.seen(), noise)
    page.part("undo").click()
    page.settle()
    assert np.array_equal(page.seen(), noise)


def test_a_chosen_file_is_read_and_a_large_one_made_smaller_first(page, make, tmp_path):
    random = np.random.default_rng(0)
    blocks = np.kron(random.integers(0, 2, (28, 28), np.uint8) * 255, np.ones((64, 64), np.uint8))
    large = np.clip(blocks + random.normal(0, 60, blocks.shape), 0, 255).astype(np.uint8)
    (tmp_path / "large.png").write_bytes(make.png(large))
    assert (tmp_path / "large.png").stat().st_size > 1_000_000
    page.part("file").send_keys(str(tmp_path / "large.png"))
    page.until(lambda: not page.shown()[0]["waiting"])
    page.settle()
    expected = open_image(tmp_path / "large.png", size=28).astype(int)
    assert np.abs(page.seen() - expected).mean() < 6


def test_what_is_no_image_is_said(page, tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    page.part("file").send_keys(str(tmp_path / "notes.txt"))
    page.until(lambda: page.part("trouble").is_displayed())
    assert "not an image" in page.part("trouble").text
    page.complaints()       # the browser itself notes that the server refused
    page.draw(CROSS)
    assert not page.part("trouble").is_displayed()


def test_two_networks_read_the_same_drawing_each_in_its_own_size(browser, served_two, make):
    browser.open(served_two.address)
    browser.draw(CROSS)
    assert [browser.seen(card).shape for card in (0, 1)] == [(28, 28), (32, 32)]
    assert shown_by(browser, make.model(), 0)
    assert shown_by(browser, make.model("lenet-classic", 32, seed=1), 1)
    lefts = [card.rect["x"] for card in browser.driver.find_elements("css selector", ".card")]
    assert lefts[1] > lefts[0] + 200


def test_every_step_can_be_seen(page):
    page.draw(CROSS)
    few = page.shown()[0]["layers"]
    page.part("card-0-every").click()
    page.settle()
    assert (few, page.shown()[0]["layers"]) == (2, 8)


def test_a_drawing_is_kept_as_it_was_shown_and_the_sheet_cleared(page, served):
    page.draw(CROSS)
    seen = page.seen()
    page.driver.find_element("css selector", "#keep-classes [data-name='问']").click()
    page.until(lambda: page.part("kept").text)
    path = page.part("kept").text.partition(": ")[2]
    assert path.startswith("6/")
    assert np.array_equal(open_image(served.folder / path), seen)
    page.settle()
    assert page.shown()[0]["waiting"]


def test_a_network_whose_classes_no_folder_can_be_named_after_draws_without_keeping(browser, serve, make, tmp_path):
    running = serve([make.model(classes=("../up", "a/b"), names=("up", "b"))], tmp_path)
    try:
        browser.open(running.address)
        browser.draw(CROSS)
        assert not browser.shown()[0]["waiting"]
        assert not browser.part("keep").is_displayed()
    finally:
        running.close()


def test_an_example_is_drawn_and_read(page, model):
    page.driver.find_element("css selector", "#example-names [data-name='学']").click()
    page.until(lambda: not page.shown()[0]["waiting"])
    page.settle()
    assert (page.seen() < 128).sum() > 40
    assert shown_by(page, model)
    page.part("undo").click()
    page.settle()
    assert page.shown()[0]["waiting"]


def test_one_question_is_in_flight_and_the_last_one_wins(page):
    page.driver.execute_script("""const real = window.fetch; window.flying = window.most = window.asked = 0
        window.fetch = async (...told) => {
          window.most = Math.max(window.most, ++window.flying); window.asked++
          await new Promise(done => setTimeout(done, 250))
          try { return await real(...told) } finally { window.flying-- } }""")
    page.draw([*CROSS, *ROOF])
    last = page.seen()
    most, asked = page.driver.execute_script("return [window.most, window.asked]")
    assert most == 1
    assert 1 <= asked <= 8
    page.driver.execute_script("document.getElementById('fit').dispatchEvent(new Event('change'))")
    page.settle()
    assert np.array_equal(page.seen(), last)


def test_an_answer_that_comes_after_the_sheet_was_cleared_is_not_shown(page):
    page.driver.execute_script("""const real = window.fetch
        window.fetch = async (...told) => { await new Promise(done => setTimeout(done, 400)); return real(...told) }""")
    page.driver.execute_script("""const sheet = document.getElementById('sheet'), box = sheet.getBoundingClientRect()
        sheet.setPointerCapture = () => {}
        for (const kind of ['pointerdown', 'pointerup']) sheet.dispatchEvent(new PointerEvent(kind, { pointerId: 1,
          button: 0, bubbles: true, cancelable: true, clientX: box.x + 50, clientY: box.y + 50 }))""")
    page.part("clear").click()
    page.settle()
    assert page.shown()[0]["waiting"]


def test_a_server_that_is_gone_is_said_and_read_again_when_it_is_back(page):
    def network(offline):
        page.driver.execute_cdp_cmd("Network.enable", {})
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    network(offline=True)
    try:
        page.draw(ROOF)
        page.until(lambda: page.part("trouble").is_displayed())
        assert "fastlab draw" in page.part("trouble").text
        page.complaints()       # the browser itself notes that it found nobody
    finally:
        network(offline=False)
    page.draw(CROSS)
    assert not page.part("trouble").is_displayed()
    assert not page.shown()[0]["waiting"]
