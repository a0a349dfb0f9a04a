"""In a real browser: everything by keyboard, on a phone, in light and dark, with names, contrast and announcements."""
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

NAMES = list("博学笃志切问近思自由无用")
CROSS = [[(0.1, 0.5), (0.9, 0.5)], [(0.5, 0.1), (0.5, 0.9)]]
CONTRAST = """
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0)
const brush = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
const over = (below, colour, alpha = 1) => { brush.globalAlpha = 1; brush.fillStyle = `rgb(${below})`
  brush.fillRect(0, 0, 1, 1); brush.globalAlpha = alpha; brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1)
  return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3) }
const ground = element => element ? over(ground(element.parentElement), getComputedStyle(element).backgroundColor)
  : [255, 255, 255]
const found = []
const judge = (element, text, colour) => {
  const style = getComputedStyle(element), seen = { opacityProperty: true, visibilityProperty: true }
  if (!text || !element.checkVisibility(seen)) return
  if (element.closest('.unseen, .skip, .drop, :disabled, script, noscript')) return
  const below = ground(element), ink = over(below, style[colour])
  const [low, high] = [light(below), light(ink)].sort((a, b) => a - b)
  const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700)
  const ratio = (high + .05) / (low + .05)
  if (ratio < (large ? 3 : 4.5)) found.push(`${text}: ${ratio.toFixed(2)}`)
}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
while (walker.nextNode()) judge(walker.currentNode.parentElement, walker.currentNode.data.trim(), 'color')
for (const drawn of document.querySelectorAll('.glyph')) judge(drawn, drawn.parentElement.textContent, 'stroke')
return found"""
FOCUS = """const element = document.activeElement, style = getComputedStyle(element)
const line = element.id === 'sheet' ? getComputedStyle(document.getElementById('frame')) : style
if (element === document.body) return null
const name = element.id || element.dataset.name || element.textContent.trim()
return [name, parseFloat(line.outlineWidth), line.outlineStyle]"""


def press(browser, *keys):
    ActionChains(browser.driver).send_keys(*keys).perform()


def chord(browser, *keys):
    actions = ActionChains(browser.driver)
    for key in keys[:-1]:
        actions.key_down(key)
    actions.send_keys(keys[-1])
    for key in reversed(keys[:-1]):
        actions.key_up(key)
    actions.perform()


def tab_to(browser, name=None, most=80):
    "Presses Tab until the part with this id or text has the focus, or once around; all outlines must be visible."
    passed = []
    for _ in range(most):
        press(browser, Keys.TAB)
        focus = browser.driver.execute_script(FOCUS)
        if focus is None and passed and name is None:
            return passed
        if focus is not None:
            where, width, style = focus
            assert width >= 2, where
            assert style != "none", where
            passed.append(where)
            if where == name:
                return passed
    raise AssertionError(f"{name} cannot be reached by Tab, only {passed}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_enough_before_and_after_reading(browser, served, scheme):
    browser.open(served.address, scheme=scheme)
    assert browser.driver.execute_script(CONTRAST) == []
    browser.driver.find_element("css selector", ".settings summary").click()
    browser.draw(CROSS)
    browser.part("card-0-every").click()
    browser.settle()
    assert browser.driver.execute_script(CONTRAST) == []


def test_light_and_dark_are_different_pages(browser, served):
    grounds = []
    for scheme in ("light", "dark"):
        browser.open(served.address, scheme=scheme)
        grounds.append(browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


def test_a_character_is_drawn_taken_back_and_kept_by_keyboard_alone(browser, served):
    browser.open(served.address)
    tab_to(browser, "sheet")
    press(browser, Keys.ARROW_LEFT * 8, " ", Keys.ARROW_RIGHT * 16, " ")
    browser.settle()
    across = browser.seen() < 128
    assert across.any(0).sum() > 18
    assert across.any(1).sum() <= 2
    press(browser, Keys.ARROW_UP * 8, Keys.ARROW_LEFT * 8, " ", Keys.ARROW_DOWN * 16, " ")
    browser.settle()
    both = browser.seen() < 128
    assert both.sum() > across.sum()
    press(browser, Keys.BACKSPACE)
    browser.settle()
    assert (browser.seen() < 128).sum() == across.sum()
    chord(browser, Keys.CONTROL, Keys.SHIFT, "z")
    browser.settle()
    assert (browser.seen() < 128).sum() == both.sum()
    chord(browser, Keys.CONTROL, "z")
    tab_to(browser, "思")
    press(browser, Keys.ENTER)
    browser.until(lambda: browser.part("kept").text)
    assert (served.folder / browser.part("kept").text.partition(": ")[2]).is_file()


def test_the_sheet_is_cleared_and_a_stroke_ended_by_keyboard(browser, served):
    browser.open(served.address)
    tab_to(browser, "sheet")
    press(browser, " ", Keys.ARROW_DOWN * 4, Keys.ESCAPE, Keys.ARROW_RIGHT * 6)
    browser.settle()
    assert (browser.seen() < 128).any(0).sum() <= 2
    press(browser, Keys.DELETE)
    browser.settle()
    assert browser.shown()[0]["waiting"]


def test_every_control_is_reached_by_tab_in_reading_order_with_a_visible_focus(browser, served):
    browser.open(served.address)
    browser.draw(CROSS)
    browser.driver.find_element("css selector", ".settings summary").click()
    tab_to(browser)         # to the end, from wherever the last click was; then once around
    passed = tab_to(browser)
    wanted = ["sheet", "undo", "clear", "choose", *NAMES, *NAMES, "pen", "fit", "card-0-every"]
    assert [name for name in passed if name in wanted] == wanted


def test_an_example_is_asked_for_by_keyboard(browser, served):
    browser.open(served.address)
    browser.driver.execute_script("document.querySelector('#example-names button').focus()")
    press(browser, Keys.ENTER)
    browser.until(lambda: not browser.shown()[0]["waiting"])


def test_every_control_and_picture_has_a_name(browser, served):
    browser.open(served.address)
    browser.draw(CROSS)
    browser.driver.find_element("css selector", ".settings summary").click()
    parts = browser.driver.find_elements("css selector", "button, input, canvas, summary, section, [role]")
    silent = ("generic", "status", "alert")
    unnamed = [part.get_attribute("outerHTML")[:80] for part in parts
               if part.is_displayed() and part.aria_role not in silent and not part.accessible_name]
    assert unnamed == []


def test_the_answer_is_announced_once_the_pen_rests(browser, served):
    browser.open(served.address)
    browser.draw(CROSS)
    shown = browser.shown()[0]
    said = browser.part("said")
    assert said.get_attribute("aria-live") == "polite"
    browser.until(lambda: f"Read as {shown['stamp']}, {shown['share']}" in said.get_attribute("textContent"))
    browser.part("clear").click()
    browser.until(lambda: "empty" in said.get_attribute("textContent"))


def test_two_networks_are_announced_by_their_names(browser, served_two):
    browser.open(served_two.address)
    browser.draw(CROSS)
    said = browser.part("said")
    browser.until(lambda: "net0 reads" in said.get_attribute("textContent") and "net1 reads" in
                  said.get_attribute("textContent"))


@pytest.mark.parametrize(("width", "height"), [(320, 568), (390, 844), (844, 390), (820, 1180)])
def test_on_a_phone_all_is_there_nothing_sticks_out_and_fingers_draw(browser, served, width, height):
    browser.open(served.address, width=width, height=height, phone=True)
    browser.draw(CROSS, "touch")
    shown = browser.shown()[0]
    assert not shown["waiting"]
    assert width >= 860 or (shown["stamp"] in browser.part("strip").text and browser.part("strip").is_displayed())
    wide = browser.driver.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width
    side = browser.part("sheet").rect["width"]
    assert 0.5 * min(width, height) <= side <= width
    buttons = [button.rect for button in browser.driver.find_elements("tag name", "button") if button.is_displayed()]
    assert min(min(box["width"], box["height"]) for box in buttons) >= 40


@pytest.mark.parametrize("height", [500, 700, 900, 1400])
def test_in_a_low_window_everything_beside_the_reading_can_be_scrolled_to(browser, served, height):
    browser.open(served.address, height=height)
    browser.draw(CROSS)
    browser.part("fit").find_element("xpath", "ancestor::details/summary").click()
    browser.part("fit").click()
    browser.part("undo").click()


def test_two_networks_fit_on_a_phone(browser, served_two):
    browser.open(served_two.address, width=360, height=740, phone=True)
    browser.draw(CROSS, "touch")
    assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= 360


def test_unwanted_motion_is_left_out(browser, served):
    browser.open(served.address, calm=True)
    assert browser.driver.execute_script(
        "return getComputedStyle(document.querySelector('.fill')).transitionProperty") == "none"
    browser.open(served.address, calm=False)
    assert browser.driver.execute_script(
        "return getComputedStyle(document.querySelector('.fill')).transitionProperty") == "transform"
