"""A real browser before the page: drawing by pointer events, and what a visitor sees there."""
import shutil
import tempfile

import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.support.ui import WebDriverWait

BROWSERS, DRIVERS = ("chromium", "chromium-browser", "google-chrome"), ("chromedriver", "chromium.chromedriver")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update")
SEEN = """const c = document.querySelectorAll('.card')[arguments[0]].querySelector('canvas.view');
          const brush = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true })
          brush.drawImage(c, 0, 0)
          return [c.width, c.height, [...brush.getImageData(0, 0, c.width, c.height).data]];"""
SHOWN = """return [...document.querySelectorAll('.card')].map(card => ({
             stamp: card.querySelector('.stamp').textContent, share: card.querySelector('.share').textContent,
             waiting: card.classList.contains('waiting'),
             bars: [...card.querySelectorAll('.bars li')].map(row => [...row.children].map(part => part.textContent)),
             layers: card.querySelectorAll('.layer').length}))"""


def found(names):
    return next(filter(None, map(shutil.which, names)), None)


def missing():
    "What stands in the way of a browser, in words, or None."
    if not found(BROWSERS):
        return "no browser is installed (Debian: apt-get install chromium)"
    return None if found(DRIVERS) else "no chromedriver is installed (Debian: apt-get install chromium-driver)"


class Browser:
    "A headless Chromium. `driver`: Selenium's; every other name is something that a visitor does or sees."

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = found(BROWSERS)
        self.profile = tempfile.mkdtemp(prefix="page-browser-")
        for flag in (*FLAGS, f"--user-data-dir={self.profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(found(DRIVERS)))
        self.driver.set_page_load_timeout(30)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def screen(self, width=1360, height=900, phone=False, scheme="light", calm=True):
        "The size of the window, whether fingers touch it, its colour scheme, and whether motion is unwanted."
        ask = self.driver.execute_cdp_cmd
        ask("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1 + phone,
                                                   "mobile": phone})
        ask("Emulation.setTouchEmulationEnabled", {"enabled": phone})
        ask("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"}]})

    def open(self, address, **screen):
        "A new page, once it knows its networks; what the last one wrote to the console is forgotten."
        self.screen(**screen)
        self.driver.get("about:blank")
        self.complaints()
        self.driver.get(address)
        self.until(lambda: self.driver.execute_script("return document.body.dataset.ready === 'true'"))

    def until(self, true, seconds=15):
        WebDriverWait(self.driver, seconds, poll_frequency=0.03).until(lambda driver: true())

    def part(self, name):
        return self.driver.find_element("id", name)

    def draw(self, strokes, kind="mouse"):
        "Draws strokes, lists of (x, y) on a sheet 0 … 1, by pointer events of a mouse, touch or pen."
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", self.part("sheet"))
        left, top, side = self.driver.execute_script(
            "const box = document.getElementById('sheet').getBoundingClientRect(); return [box.x, box.y, box.width]")
        actions = ActionBuilder(self.driver, mouse=PointerInput(kind, kind), duration=1)
        for stroke in strokes:
            places = [(round(left + x * side), round(top + y * side)) for x, y in stroke]
            actions.pointer_action.move_to_location(*places[0]).pointer_down()
            for place in places[1:]:
                actions.pointer_action.move_to_location(*place)
            actions.pointer_action.pointer_up()
        actions.perform()
        self.settle()

    def settle(self):
        "Waits until no question is in flight and none is due: what is shown then is the answer to the last one."
        self.driver.execute_async_script("""const done = arguments[0], readings = document.getElementById('readings')
            const wait = () => readings.ariaBusy === 'true' ? setTimeout(wait, 15) : done(); wait()""")

    def shown(self):
        "A dict a card: stamp, share, waiting, bars (a list of [name, '', percent]), layers."
        return self.driver.execute_script(SHOWN)

    def seen(self, card=0):
        "The image that the card shows as given to the network, uint8 (H, W)."
        width, height, data = self.driver.execute_script(SEEN, card)
        return np.array(data, np.uint8).reshape(height, width, 4)[:, :, 0]

    def complaints(self):
        "What the console holds of warnings and errors since the last call."
        return [told["message"] for told in self.driver.get_log("browser") if told["level"] in ("SEVERE", "WARNING")]

    def strangers(self):
        "Addresses that the page asked for and that are not its own."
        return self.driver.execute_script("""return performance.getEntriesByType('resource').map(told => told.name)
            .filter(name => new URL(name).origin !== location.origin)""")
