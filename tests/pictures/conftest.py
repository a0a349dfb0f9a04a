"""Fonts as a test needs them: none but matplotlib's own, or one with Chinese characters, made on the spot."""
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from fastlab.pictures import fonts

NAMES = list("博学笃志切问近思自由无用")


def square():
    "A glyph: one full square."
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for corner in ((50, 900), (950, 900), (950, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


def write_font(path, family, characters):
    "A small TrueType font that has `characters` and nothing else."
    glyphs = [".notdef", *(f"uni{ord(sign):04X}" for sign in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(sign): f"uni{ord(sign):04X}" for sign in characters})
    builder.setupGlyf({name: square() for name in glyphs})
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 50)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=900, usWinAscent=900, usWinDescent=100)
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def only_dejavu(monkeypatch):
    "A machine without any font but matplotlib's own."
    monkeypatch.setattr(fonts, "family_names", lambda: ["DejaVu Sans"])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [])
    fonts.forget()
    yield
    fonts.forget()


@pytest.fixture
def with_han(monkeypatch, tmp_path):
    "A machine with one more font, 'Test Han', which has the twelve characters."
    listed = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(write_font(tmp_path / "han.ttf", "Test Han", NAMES))
    monkeypatch.setattr(fonts, "family_names", lambda: ["DejaVu Sans", "Test Han"])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [])
    fonts.forget()
    yield
    font_manager.fontManager.ttflist[:] = listed
    fonts.forget()
