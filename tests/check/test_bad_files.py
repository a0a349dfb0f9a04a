"""Every kind of bad or unusual file is found, with its name, the reason and what is done with it; nothing else is."""
import numpy as np
import pytest
from PIL import Image
from planted import CLASSES, PLANTED, SPLITS, drawing, encoded, garbled, photograph, write_good

from fastlab.check.folder import check
from fastlab.errors import ImageError
from fastlab.images.decode import open_image
from fastlab.strokes.dataset import draw_folder


def about(findings, kind, file):
    "The findings of a kind on a file."
    return [finding for finding in findings.of(kind) if file in finding.files]


@pytest.mark.parametrize("name", PLANTED)
def test_every_planted_file_is_found_with_reason_and_action(bad, name):
    _, files, findings = bad
    planted = PLANTED[name]
    found = about(findings, planted.kind, files[name])
    assert any(planted.reason in finding.reason and planted.action in finding.action for finding in found), \
        [finding.to_dict() for finding in findings if files[name] in finding.files]


def test_at_least_27_kinds_are_planted():
    assert len(PLANTED) >= 27


def test_good_files_beside_them_are_not_accused_of_anything(bad):
    _, files, findings = bad
    accused = {file for finding in findings for file in finding.files if "really" not in file}
    good = {f"{split}/{name}/{number}.png" for split, count in SPLITS.items() for name in CLASSES
            for number in range(1, count + 1)}
    assert good & accused == set()
    assert accused - set(files.values()) == set()


def test_unreadable_is_exactly_what_the_decoder_of_trainings_refuses(bad):
    root, files, findings = bad
    refused = set()
    for name, file in files.items():
        path = root / file
        if name != "Thumbs.db" and (path.is_symlink() or path.is_file()):
            try:
                open_image(path)
            except ImageError:
                refused.add(file)
    opened = {file for finding in findings.of("unreadable") for file in finding.files
              if file not in (files["pipe.png"], files["folder.png"])}
    assert opened == refused


def test_a_good_folder_of_thousands_gives_no_finding_at_all(tmp_path):
    folder = draw_folder(tmp_path / "strokes", train=20, develop=8, test=60, size=28)
    findings = check(folder, labels=False, jobs=1)
    assert [finding.to_dict() for finding in findings] == []
    assert findings.images == 12 * 88
    assert findings.exit_code() == 0


@pytest.mark.parametrize(("form", "suffix"), [("BMP", ".bmp"), ("BMP", ".dib"), ("GIF", ".gif"), ("JPEG", ".jpg"),
                                              ("JPEG", ".JPEG"), ("JPEG", ".jfif"), ("PNG", ".png"), ("PPM", ".pgm"),
                                              ("PPM", ".pnm"), ("TIFF", ".tif"), ("TIFF", ".TIFF"), ("WEBP", ".webp")])
def test_ordinary_files_of_every_format_are_no_findings(good, form, suffix):
    rng = np.random.default_rng(9)
    (good / "train" / "ant" / f"other{suffix}").write_bytes(encoded(drawing(rng), form))
    assert [finding.to_dict() for finding in check(good, False, jobs=1).of("unreadable", "format")] == []


def test_a_photographs_folder_is_clean(tmp_path):
    rng = np.random.default_rng(3)
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for number in range(40):
            content = encoded(photograph(rng, 96), "JPEG", quality=90)
            (tmp_path / name / f"{number}.jpg").write_bytes(content)
    findings = check(tmp_path, False, jobs=1)
    assert [finding.to_dict() for finding in findings if finding.kind != "split"] == []


def test_bytes_flipped_anywhere_in_a_png_are_noticed(good):
    place, rng = good / "train" / "ant" / "flipped.png", np.random.default_rng(5)
    for share in (0.2, 0.5, 0.8):
        content = bytearray(encoded(photograph(rng)))
        content[int(share * len(content))] ^= 0x10
        place.write_bytes(content)
        told = check(good, False, jobs=1).of("unreadable")
        assert [finding.files for finding in told] == [("train/ant/flipped.png",)]


def test_the_facts_of_one_file_are_all_told(good):
    rng = np.random.default_rng(6)
    exif = Image.Exif()
    exif[0x0112] = 8
    image = Image.fromarray(drawing(rng)).convert("RGBA")
    (good / "train" / "ant" / "both.webp").write_bytes(encoded(image, "PNG", exif=exif))
    told = {finding.reason for finding in check(good, False, jobs=1).of("format")}
    assert len(told) == 3
    assert any("transparency" in reason for reason in told)
    assert any("turned" in reason for reason in told)
    assert any("WEBP" in reason and "PNG" in reason for reason in told)


def test_files_of_one_fact_make_one_finding(good):
    rng = np.random.default_rng(7)
    for number in range(5):
        (good / "train" / "ant" / f"deep{number}.png").write_bytes(
            encoded(Image.fromarray(drawing(rng).astype(np.uint16) * 257)))
    (finding,) = check(good, False, jobs=1).of("format")
    assert finding.files == tuple(f"train/ant/deep{number}.png" for number in range(5))


def test_garbling_the_middle_of_a_png_is_never_used_silently():
    for seed in range(20):
        content = garbled(encoded(photograph(np.random.default_rng(seed))))
        with pytest.raises(ImageError):
            open_image(content)


def test_the_folder_is_written_by_seed_alone(tmp_path):
    one, other = write_good(tmp_path / "one"), write_good(tmp_path / "other")
    assert (one / "test/cat/8.png").read_bytes() == (other / "test/cat/8.png").read_bytes()


def test_what_a_camera_writes_behind_a_jpegs_end_is_no_finding(good):
    content = encoded(photograph(np.random.default_rng(8)), "JPEG")
    (good / "train" / "ant" / "with film.jpg").write_bytes(content + b"ftypmp42" + bytes(200_000))
    assert [finding.to_dict() for finding in check(good, False, jobs=1).of("unreadable", "format")] == []
