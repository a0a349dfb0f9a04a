"""An image that cannot be read is named, with the reason in words; one that is cut off never passes as whole."""
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from fastlab.errors import ImageError
from fastlab.images.decode import FORMATS, open_image

NOISE = np.random.default_rng(0).integers(0, 256, (40, 32), dtype=np.uint8)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
BY_CONTENT = {
    "HTML": b"<!DOCTYPE html><html><body>404</body></html>",
    "html after blanks": b"\n\n  <html lang=en></html>",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "XML": b"<?xml version='1.0'?><a/>",
    "PDF": b"%PDF-1.7\n",
    "a ZIP archive": b"PK\x03\x04" + bytes(60),
    "a gzip archive": b"\x1f\x8b\x08" + bytes(60),
    "a Photoshop file": b"8BPS\0\1" + bytes(60),
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
    "HEIC or AVIF": HEIC,
    "a video": b"\0\0\0\x18ftypisom" + bytes(60),
    "all zeros": bytes(700),
    "text": "label;file\n学;1.png\n".encode() * 60,
}


def refused(source):
    with pytest.raises(ImageError) as caught:
        open_image(source)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.mark.parametrize(("kind", "content"), BY_CONTENT.items(), ids=BY_CONTENT)
def test_a_file_that_is_something_else_is_named_with_what_it_is(tmp_path, kind, content):
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    message = refused(path)
    assert message.startswith(f"{path}: not an image that can be read")
    assert kind.split()[0].lower() in message.lower()
    assert all(form in message for form in FORMATS)


def test_bytes_without_any_meaning_are_not_called_text(tmp_path):
    path = tmp_path / "image.jpg"
    path.write_bytes(bytes([200, 1, 2, 3]) * 50)
    assert "its content" not in refused(path)


@pytest.mark.parametrize("form", ["ICO", "TGA", "PCX", "DDS", "JPEG2000"])
def test_a_format_that_is_not_on_the_list_is_refused(saved, form):
    content = saved(Image.fromarray(NOISE).convert("RGB"), form)
    assert "allowed are BMP, GIF, JPEG" in refused(content)


@pytest.mark.parametrize("source", ["path", "bytes"])
def test_an_empty_file_is_called_empty(tmp_path, source):
    path = tmp_path / "empty.png"
    path.write_bytes(b"")
    assert "empty (0 bytes)" in refused(path if source == "path" else b"")


def test_a_missing_file_is_called_missing(tmp_path):
    assert refused(tmp_path / "none.png") == f"{tmp_path / 'none.png'}: no such file."


def test_a_broken_link_is_called_a_broken_link(tmp_path):
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "gone.png")
    assert "a broken link" in refused(link)


def test_a_link_to_itself_is_called_broken(tmp_path):
    link = tmp_path / "link.png"
    link.symlink_to(link)
    assert "link.png" in refused(link)


def test_a_folder_in_place_of_an_image_is_called_a_folder(tmp_path):
    assert "a folder, not an image" in refused(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "not an ordinary file" in refused(tmp_path / "pipe.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named_with_permission_denied(tmp_path, saved):
    path = tmp_path / "secret.png"
    path.write_bytes(saved(Image.fromarray(NOISE), "PNG"))
    path.chmod(0)
    assert "permission denied" in refused(path)


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "nul\0l.png"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    refused(str(tmp_path / name))


def test_an_image_by_another_suffix_is_read_all_the_same(saved, tmp_path):
    path = tmp_path / "really a png.jpg"
    path.write_bytes(saved(Image.fromarray(NOISE), "PNG"))
    assert np.array_equal(open_image(path), NOISE)


@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("BMP", {}),
                                               ("GIF", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}),
                                               ("PPM", {}), ("WEBP", {"lossless": True})])
def test_fault_4_a_cut_file_is_refused_at_every_length_or_has_all_its_pixels(saved, form, options):
    whole = saved(Image.fromarray(NOISE), form, **options)
    pixels, told = open_image(whole), set()
    lengths = sorted({*range(1, 60), *range(60, len(whole) - 40, 37), *range(len(whole) - 40, len(whole))})
    for length in lengths:
        try:
            assert np.array_equal(open_image(whole[:length]), pixels), f"{length} of {len(whole)} bytes pass as whole"
        except ImageError as error:
            told.add(str(error))
    assert told
    half = refused(whole[:len(whole) // 2])
    assert any(word in half for word in ("cut off", "damaged"))


def test_a_cut_large_jpeg_is_refused_when_opened_small_too(saved):
    whole = saved(Image.fromarray(np.kron(NOISE, np.ones((8, 8), np.uint8))), "JPEG")
    with pytest.raises(ImageError, match="cut off"):
        open_image(whole[:len(whole) // 2], 1, 32)


@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
@given(some.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]), some.data())
def test_whatever_bytes_are_damaged_nothing_but_an_image_error_comes_out(saved, form, data):
    content = bytearray(saved(Image.fromarray(NOISE), form))
    for _ in range(data.draw(some.integers(1, 8))):
        content[data.draw(some.integers(0, len(content) - 1))] = data.draw(some.integers(0, 255))
    try:
        shape = open_image(bytes(content), 3, 16).shape
    except ImageError:
        return
    assert shape == (16, 16, 3)


@given(some.binary(max_size=400))
def test_no_bytes_whatever_raise_anything_but_an_image_error(content):
    with pytest.raises(ImageError):
        open_image(content)


def test_one_flipped_byte_in_a_png_is_found_by_its_checksum(saved):
    content = bytearray(saved(Image.fromarray(NOISE), "PNG"))
    content[len(content) // 2] ^= 1
    assert any(word in refused(bytes(content)) for word in ("damaged", "cut off"))
