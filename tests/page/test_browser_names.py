"""In a real browser: names of classes are shown, never as boxes, on machines without a font for them too."""
import pytest

from fastlab.strokes.table import COUNTS, NAMES

CROSS = [[(0.1, 0.5), (0.9, 0.5)], [(0.5, 0.1), (0.5, 0.9)]]
DRAWN = """return [...document.querySelectorAll(arguments[0])].map(name => [name.textContent,
  [...name.querySelectorAll('svg.glyph path')].map(path => path.getAttribute('d')),
  [...name.querySelectorAll('.glyph')].every(drawn => drawn.getBoundingClientRect().width >= 15)])"""
WITHOUT_TEXT = "for (const text of document.querySelectorAll('[data-name] .unseen')) text.textContent = ''"
SHOWN = """const [name, folder, done] = arguments
import('/static/names.js').then(({ learn, nameIn }) => {
  learn({ glyphs: {}, models: [{ names: [name], classes: [folder] }], keeping: null })
  const element = nameIn('b', name)
  done([element.querySelector('[aria-hidden]')?.textContent ?? null,
    (element.querySelector('.unseen') ?? element).textContent])
})"""


@pytest.mark.parametrize("place", ["#example-names button", "#keep-classes button", ".bars .label"])
def test_every_character_is_drawn_from_its_own_strokes_and_stays_its_name(browser, served, place):
    browser.open(served.address)
    told = browser.driver.execute_script(DRAWN, place)
    assert [name for name, _, _ in told] == list(NAMES)
    assert [paths[0].count("M") for _, paths, _ in told] == list(COUNTS)
    assert len({paths[0] for _, paths, _ in told}) == 12
    assert all(visible for _, _, visible in told)
    if place.endswith("button"):
        buttons = browser.driver.find_elements("css selector", place)
        assert [button.accessible_name for button in buttons] == list(NAMES)


def test_no_font_is_asked_for_a_character_whose_strokes_are_known(browser, served):
    "What is seen of the answer and of all names is the same to the pixel with their text taken out."
    browser.open(served.address)
    browser.draw(CROSS)
    parts = [browser.driver.find_element("css selector", name) for name in (".card .stamp", ".verdict",
                                                                            "#example-names")]
    before = [part.screenshot_as_png for part in parts]
    browser.driver.execute_script(WITHOUT_TEXT)
    assert [part.screenshot_as_png for part in parts] == before


@pytest.mark.parametrize(("name", "folder", "shown"), [
    ("\U000f0001", "3", "3"), ("a\U000f0002", "mouse", "mouse"), ("\U000f0003", "\U000f0003", "U+F0003"),
    ("cat", "4", None), ("é", "5", None)], ids=ascii)
def test_a_name_that_no_font_has_gives_way_to_its_folder_and_then_to_numbers(browser, served, name, folder, shown):
    browser.open(served.address)
    assert browser.driver.execute_async_script(SHOWN, name, folder) == [shown, name]
