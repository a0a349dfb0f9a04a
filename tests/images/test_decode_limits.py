"""Bombs, threads and open files."""
import os
import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from fastlab.errors import ImageError
from fastlab.images.decode import PIXEL_CAP, image_size, open_image


@pytest.mark.parametrize("side", [20_000, 12_000, 7_100])
def test_fault_4_a_bomb_is_refused_before_it_is_decoded(png, side, recwarn, tmp_path):
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png(side, side, 8, 0))
    for ask in (open_image, image_size):
        with pytest.raises(ImageError, match=r"bomb.png: .*50 million .*allowed"):
            ask(bomb)
    assert not list(recwarn)


def test_an_image_at_the_cap_is_read(png):
    width = PIXEL_CAP // 4
    row = b"\0" + bytes(width // 8)
    assert open_image(png(width, 4, 1, 0, row * 4)).shape == (4, width)


def test_opening_in_many_threads_leaves_the_filters_of_warnings_alone(png):
    before = list(warnings.filters)
    file = png(1, 1, 8, 0, b"\0\x07")
    threads = [threading.Thread(target=lambda: [open_image(file) for _ in range(50)]) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert list(warnings.filters) == before


def test_no_file_stays_open(saved, tmp_path):
    frames = [Image.fromarray(np.full((5, 4), shade, np.uint8)) for shade in (10, 200)]
    (tmp_path / "a.gif").write_bytes(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    (tmp_path / "b.png").write_bytes(saved(frames[0], "PNG")[:40])
    held = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    open_image(tmp_path / "a.gif")
    with pytest.raises(ImageError) as kept:
        open_image(tmp_path / "b.png")
    assert kept.value
    if held is not None:
        assert len(os.listdir("/proc/self/fd")) == held
