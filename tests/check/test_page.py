"""The page of a check: every finding with its pictures, whatever the files are called; nothing from elsewhere."""
import base64
import html
import io
import os
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from planted import drawing, photograph

from fastlab.check import page
from fastlab.check.findings import KINDS, Finding, Findings
from fastlab.check.folder import check
from fastlab.check.thumbnails import data_uri
from fastlab.images.decode import open_image

HOSTILE = ("<img src=x onerror=alert(1)>.png", "\"><script>alert(2)</script>.png", "{{ 7 * 7 }}.png", "a&amp;b.png",
           "'onload='alert(3).png", "-->.png", "new\nline.png", "right\u202eleft.png", "\x1b[2Jclear.png")


class Reader(HTMLParser):
    "Counts tags and attributes, keeps text and pictures, section by section."

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.section = [], [], None
        self.sections, self.cards, self.pictures, self.addresses = {}, {}, {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.tags.append(tag)
        self.attributes += list(told)
        self.addresses += [told[name] for name in ("src", "href") if name in told]
        if tag == "section":
            self.section = told["id"]
        if tag == "article":
            self.cards[self.section] = self.cards.get(self.section, 0) + 1
        if tag == "img":
            self.pictures.setdefault(self.section, []).append(told["src"])

    def handle_data(self, text):
        self.sections[self.section] = self.sections.get(self.section, "") + text


@pytest.fixture
def hostile(good):
    "A folder with files whose names would do harm where they are not escaped."
    rng = np.random.default_rng(4)
    for name in HOSTILE:
        Image.fromarray(drawing(rng)).save(good / "train/ant" / name.replace("/", ""), "PNG", exif=exif_of(3))
    with open(os.fsencode(good / "train/ant") + b"/not-utf8-\xff\xfe.p\xe9", "wb") as file:
        Image.fromarray(drawing(rng)).save(file, "PNG")
    (good / "train/ant" / "=1+1.png").write_bytes(b"")
    return good


def exif_of(turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif


def test_every_finding_of_every_kind_is_on_the_page(bad):
    findings = bad[2]
    read = Reader(page.render(findings))
    for kind in KINDS:
        found = findings.of(kind)
        assert read.cards.get(kind, 0) == len(found)
        for finding in found:
            assert finding.reason in html.unescape(read.sections[kind])
            for file in finding.files[:page.FILES_A_FINDING]:
                assert os.path.basename(file) in read.sections[kind]
    assert len([address for address in read.addresses if address.startswith("#")]) == len(read.cards)


def test_what_can_be_seen_is_shown_and_what_cannot_is_named(bad, tmp_path):
    root, files, findings = bad
    read = Reader(page.render(findings))
    assert "unreadable" not in read.pictures
    both = Finding("format", (files["deep.png"], files["Thumbs.db"]), "mixed", "used")
    mixed = Reader(page.render(Findings(root, (both,))))
    assert len(mixed.pictures["format"]) == 1
    assert mixed.sections["format"].count("no picture") == 1
    shown = [file for finding in findings.of("empty") for file in finding.files]
    assert len(read.pictures["empty"]) == len(shown)


def test_the_pictures_are_the_files_pictures(bad):
    root, files, findings = bad
    (finding,) = (finding for finding in findings.of("empty") if files["speck.png"] in finding.files)
    address = Reader(page.render(Findings(root, (finding,)))).pictures["empty"][0]
    small = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("L")
    assert np.abs(np.asarray(small).astype(int) - open_image(root / files["speck.png"])).max() < 60


def test_small_pictures_are_kept_pixel_by_pixel_and_large_ones_made_small(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(drawing(rng, 28)).save(tmp_path / "small.png")
    Image.fromarray(photograph(rng, 300)).save(tmp_path / "large.png")
    address, by_pixel = data_uri(tmp_path / "small.png")
    kept = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))
    assert by_pixel
    assert np.array_equal(np.asarray(kept.convert("L")), open_image(tmp_path / "small.png"))
    address, by_pixel = data_uri(tmp_path / "large.png")
    assert not by_pixel
    assert max(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).size) == 96
    assert len(address) < 12_000


def test_hostile_names_are_text_and_nothing_else(hostile, tmp_path):
    findings = check(hostile, False, jobs=1)
    findings.write_page(tmp_path / "check.html")
    text = (tmp_path / "check.html").read_text("utf-8")
    read = Reader(text)
    assert not {"script", "iframe", "object"} & set(read.tags)
    assert not any(name.startswith("on") for name in read.attributes)
    assert all(address.startswith(("#", "data:image/")) for address in read.addresses)
    shown = " ".join(read.sections.values())
    assert all(name.replace("/", "") in shown for name in HOSTILE)
    assert "49.png" not in shown
    assert "not-utf8-\\xff\\xfe.p\\xe9" in shown


def test_a_page_needs_nothing_from_elsewhere(bad):
    text = page.render(bad[2])
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text


def test_the_page_stays_bounded_and_says_what_is_only_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "FINDINGS_A_KIND", 5)
    monkeypatch.setattr(page, "LISTED", 7)
    monkeypatch.setattr(page, "PICTURES", 3)
    Image.fromarray(drawing(np.random.default_rng(0))).save(tmp_path / "x.png")
    for number in range(40):
        Image.open(tmp_path / "x.png").save(tmp_path / f"{number}.png")
    found = tuple(Finding("empty", (f"{number}.png",), f"reason {number}", "used") for number in range(40))
    read = Reader(page.render(Findings(tmp_path, found)))
    assert read.cards["empty"] == 5
    assert len(read.pictures["empty"]) == 3
    assert "7 more, by name" in read.sections["empty"]
    assert "11.png: reason 11" in read.sections["empty"]
    assert "12.png" not in read.sections["empty"]
    assert "and 28 more, in the CSV file" in read.sections["empty"]


def test_a_large_group_shows_some_of_its_files_and_counts_the_others(tmp_path):
    files = tuple(f"{number}.png" for number in range(50))
    read = Reader(page.render(Findings(tmp_path, (Finding("identical", files, "same", "kept"),))))
    assert "and 34 more" in read.sections["identical"]


def test_nothing_found_is_said(good):
    read = Reader(page.render(Findings(good, (), 66)))
    assert "Nothing was found" in read.sections[None]
    assert "66 images looked at, 0 findings" in read.sections[None].replace("\n", " ")


def test_a_real_browser_shows_every_picture_and_runs_nothing(hostile, tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    import shutil
    found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if None in found.values():
        pytest.skip("no browser is installed (Debian: apt-get install chromium chromium-driver)")
    check(hostile, False, jobs=1).write_page(tmp_path / "check.html")
    options = webdriver.ChromeOptions()
    options.binary_location = found["chromium"]
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.chrome.service.Service(found["chromedriver"]))
    try:
        driver.set_window_size(390, 800)
        driver.get((tmp_path / "check.html").as_uri())
        seen = driver.execute_script("""
            document.querySelectorAll('img').forEach(image => image.loading = 'eager')
            return Promise.all([...document.images].map(image => image.decode())).then(() => [document.images.length,
                [...document.images].every(image => image.naturalWidth > 0 && image.clientWidth >= 60),
                document.documentElement.scrollWidth, innerWidth, document.scripts.length])""")
        assert seen[0] >= len(HOSTILE)
        assert seen[1]
        assert seen[2] <= seen[3]
        assert seen[4] == 0
    finally:
        driver.quit()
