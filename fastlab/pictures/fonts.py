"""Fonts for every character: a class named 学 is shown as 学 where an installed font has it, and never as a box.

A text keeps DejaVu Sans, which comes with matplotlib, and gains the first installed font that has what DejaVu lacks.
Where no font has it, the class's folder name stands in its place, or the character's code point, U+5B66."""
import unicodedata
from functools import lru_cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.text import Text

BASE = "DejaVu Sans"
# Simplified Chinese first, in the order in which they read best small; after these, any other installed font.
PREFERRED = ("Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans SC", "PingFang SC",
             "Hiragino Sans GB", "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Heiti SC", "STHeiti",
             "SimHei", "DengXian", "Noto Sans CJK JP", "Noto Sans CJK TC", "Droid Sans Fallback", "Arial Unicode MS")
# Fonts that claim every character and draw none of them.
EMPTY = ("Last Resort", "LastResort", "Adobe Blank", "Adobe NotDef", "Unicode BMP Fallback")
SHARP = ("normal", "roman")


def family_names():
    "Families that may be asked for a character, best first; those in EMPTY and those whose file is gone left out."
    names = {entry.name for entry in font_manager.fontManager.ttflist
             if entry.style in SHARP and Path(entry.fname).exists() and not entry.name.startswith(EMPTY)}
    rank = {name: place for place, name in enumerate(PREFERRED)}
    return sorted(names, key=lambda name: (name != BASE, rank.get(name, len(rank)), name))


@lru_cache(maxsize=256)
def characters(family):
    "The code points that the regular face of `family` can draw, as a frozenset; empty where it cannot be opened."
    try:
        faces = [entry for entry in font_manager.fontManager.ttflist if entry.name == family and entry.style in SHARP]
        font = font_manager.get_font(min(faces, key=unlike_regular).fname)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def unlike_regular(face):
    "How far a face's weight is from the regular one, 400."
    return abs(font_manager.weight_dict.get(face.weight, face.weight) - 400)


@lru_cache(maxsize=4096)
def _home(code):
    "The first family that has the code point, or None; fonts installed since matplotlib listed them count too."
    for _ in range(2):
        for family in family_names():
            if code in characters(family):
                return family
        if not _found_new_files():
            return None
    return None


@lru_cache(maxsize=1)
def _found_new_files():
    "Adds font files that matplotlib's own list, which it keeps between programs, does not hold yet; True if any."
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    added = 0
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        try:
            font_manager.fontManager.addfont(path)
            added += 1
        except (OSError, RuntimeError, ValueError):
            continue
    return added > 0


def forget():
    "Asks the installed fonts anew: for a program in which a font was added while it ran."
    for cached in (characters, _home, _found_new_files):
        cached.cache_clear()


def _drawn(text):
    "The code points of `text` that need a glyph."
    return [ord(sign) for sign in text if sign not in "\n\u200b\u200c\u200d\ufeff"]


def readable(text):
    "Whether installed fonts have every character of `text`."
    return all(_home(code) is not None for code in _drawn(text))


def families(text):
    "The families with which to draw `text`: DejaVu Sans, then those that have what it lacks."
    homes = [_home(code) for code in _drawn(text)]
    return list(dict.fromkeys([BASE, *(home for home in homes if home)]))


def code_points(text):
    "'学' as 'U+5B66': what stands for characters that no font has."
    return " ".join(f"U+{ord(sign):04X}" for sign in text)


def shown(names, classes=None, longest=24):
    """What to write for each class: its name where fonts have it all, else its folder's name, else code points.

    `names`: sequence of display names, or a dict from folder names to display names; `classes`: folder names in the
    same order. Names past `longest` characters are cut with an ellipsis; '$' starts no formula."""
    if isinstance(names, dict):
        classes, names = list(names), list(names.values())
    spares = list(names) if classes is None else list(classes)
    return [_one(str(name), str(spare), longest) for name, spare in zip(names, spares, strict=True)]


def _one(name, spare, longest):
    "One class's label: see `shown`."
    for text in (name, spare):
        text = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)
        if text.strip() and readable(text):
            break
    else:
        text = code_points(name) if len(name) <= 2 else code_points(name[:2]) + " …"
    text = text if len(text) <= longest else text[:longest - 1] + "…"
    return text.replace("$", r"\$")


def spelled(text):
    "The text, each character that no font has as its code point: for texts that no folder's name can stand for."
    return "".join(sign if readable(sign) else f"[{code_points(sign)}]" for sign in text)


def dress(ax):
    """Gives every text of the Axes, its ticks, its legend and its figure's headings the families that it needs, and
    lets headings go on in a second line rather than leave the figure."""
    for text in [*ax.findobj(Text), *ax.figure.texts]:
        if not text.get_text().isascii():
            text.set_text(spelled(text.get_text()))
            text.set_fontfamily(families(text.get_text()))
    for axis in (ax.xaxis, ax.yaxis):
        labels = [tick.get_text() for tick in axis.get_ticklabels()]
        if not "".join(labels).isascii():
            if not all(map(readable, labels)):
                axis.set_ticks(axis.get_ticklocs(), list(map(spelled, labels)))
            axis.set_tick_params(labelfontfamily=families("".join(map(spelled, labels))))
    for heading in [*(part for part in ax.get_children() if isinstance(part, Text) and part not in ax.texts),
                    ax.xaxis.label, *ax.figure.texts]:
        heading.set_wrap(True)
