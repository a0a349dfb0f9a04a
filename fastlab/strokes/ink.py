"""From polylines to pixels: black ink on white paper, at any size."""
import numpy as np
from PIL import Image, ImageDraw

FINER = 6                       # the pen moves on a grid this much finer than the pixels


def render(paths, size=28, thickness=1.15, hard=40.0):
    """uint8 (size, size), 255 paper, 0 ink. paths: float arrays (points, 2) in the frame 0…1; thickness: of the pen, in
    28ths of the frame; hard: 1 leaves grey edges as they fall, more makes pixels black or white."""
    grid = size * FINER
    canvas = Image.new("L", (grid, grid), 0)
    pen = ImageDraw.Draw(canvas)
    width = max(thickness * grid / 28, 1.0)
    for path in paths:
        points = path * grid
        pen.line([tuple(point) for point in points.tolist()], fill=255, width=round(width), joint="curve")
        for x, y in points[[0, -1]].tolist():
            pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=255)
    ink = np.asarray(canvas.reduce(FINER), dtype=np.float32) / 255
    ink = np.clip((ink - 0.5) * hard + 0.5, 0, 1) if hard > 1 else ink
    return np.rint(255 * (1 - ink)).astype(np.uint8)
