"""Augmentation on whole batches, on the device: every image its own draw, no loop over images but where one is quicker.

The maths are free functions of tensors and draws. `uniforms` are numbers in [0, 1), one row an image, that the loader
draws for a whole epoch at once from that epoch's own seed: a batch's size and a resume change nothing in them."""
import math
from functools import lru_cache

import torch
from torch.nn.functional import grid_sample

from fastlab.errors import OptionError, one_of

KINDS = ("none", "crop", "crop+mirror", "handwriting")
PAD_SHARE = 14                  # images not larger than the crop are padded by a 14th of their size: 28 px by 2
ROTATION = math.radians(12.0)   # handwriting: the most it turns, each way
SCALE = 0.12                    # … grows or shrinks, each axis by itself
SHEAR = 0.20                    # … leans
SHIFT = 0.07                    # … moves, in shares of the image's size
WAVES = 4                       # … coarse grid of the elastic field, points a side
ELASTIC = 0.075                 # … deviation of the elastic field, in shares of the image's size
LARGE = 1 << 14                 # numbers in an image from which a CPU mirrors one after another: a tenth of the time
VALIDATION_BATCH = 256          # images at once where nothing is learned; more does not pay on a CPU's caches …
VALIDATION_NUMBERS = 1 << 22    # … nor do more numbers, where images are large
UNIFORMS = {"none": 0, "crop": 2, "crop+mirror": 3, "handwriting": 7 + 2 * WAVES * WAVES}


def at_once(size, channels, most=VALIDATION_BATCH):
    "How many images, `size` pixels a side, to take at once where nothing is learned; at least one."
    return max(min(most, VALIDATION_NUMBERS // (size ** 2 * channels)), 1)


def crop(images, top, left, size, margin=None):
    """Cuts size × size pixels out of each image (N, C, H, W) at its own (top, left), int64 (N,). What lies outside an
    image repeats its border, so negative offsets pad. `margin`: the most pixels that a crop reaches beyond the left or
    the right border; None looks for it, which a GPU must wait for. Returns (N, C, size, size) in channels-last order.

    A crop's row is one run of memory, so all rows of all crops are one index_select among the overlapping runs."""
    if margin is None:
        margin = max(int(-left.min()), int(left.max()) + size - images.shape[3], 0)
    pixels = _with_sides(images.permute(0, 2, 3, 1), margin).contiguous()
    count, height, width, channels = pixels.shape
    rows = (top[:, None] + torch.arange(size, device=images.device)).clamp_(0, height - 1)
    numbers = torch.arange(count, device=images.device)[:, None]
    starts = (numbers * height + rows) * width + left[:, None] + margin
    runs = pixels.view(-1).as_strided((count * height * width - size + 1, size * channels), (channels, 1))
    return runs.index_select(0, starts.view(-1)).view(count, size, size, channels).permute(0, 3, 1, 2)


def _with_sides(pixels, margin):
    "Pixels (N, H, W, C) with the first and the last column repeated `margin` times."
    if not margin:
        return pixels
    sides = [pixels[:, :, column:column + 1].expand(-1, -1, margin, -1) for column in (0, pixels.shape[2] - 1)]
    return torch.cat([sides[0], pixels, sides[1]], 2)


def centre_crop(images, size):
    "The middle size × size pixels of images (N, C, H, W), a view."
    top, left = (images.shape[2] - size) // 2, (images.shape[3] - size) // 2
    return images[:, :, top:top + size, left:left + size]


def crop_positions(uniforms, height, width, size):
    "Random (top, left), int64 (N,) each, from uniforms (N, 2); images not larger than `size` are padded first."
    def along(length, uniform):
        pad = padding(length, size)
        places = length + 2 * pad - size + 1
        return (uniform * places).long().clamp_(max=places - 1) - pad
    return along(height, uniforms[:, 0]), along(width, uniforms[:, 1])


def padding(length, size):
    "Pixels that random crops of `size` may reach beyond an image of this length: none where it is larger."
    return 0 if length > size else max(length // PAD_SHARE, 1)


def mirror(images, chosen):
    "Mirrors left and right those images (N, C, H, W) where `chosen` (N,) is true; a new tensor."
    if images.device.type != "cpu" or images[:1].numel() < LARGE:
        return torch.where(chosen[:, None, None, None], images.flip(3), images)
    turned = images.clone()
    for row in chosen.nonzero()[:, 0].tolist():
        turned[row] = images[row].flip(2)
    return turned


def ten_crops(images, size, mirrored=True):
    """Four corners and the centre of each image (N, C, H, W), then all mirrored too: a list of 5 or 10 tensors
    (N, C, size, size). Source: Krizhevsky et al. 2012, section 4.1."""
    down, right = images.shape[2] - size, images.shape[3] - size
    places = ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2))
    crops = [images[:, :, top:top + size, left:left + size] for top, left in places]
    return crops + [part.flip(3) for part in crops] if mirrored else crops


def handwriting_grid(uniforms, size):
    """The sampling grid (N, size, size, 2), in −1…1, of a random affine map and a smooth elastic field.
    uniforms: (N, UNIFORMS['handwriting']). The elastic field follows Simard et al. 2003, with a coarse grid of normal
    numbers smoothed by cubic interpolation in place of their Gaussian."""
    count, device = len(uniforms), uniforms.device
    signed = uniforms[:, :6] * 2 - 1
    angle, lean = signed[:, 0] * ROTATION, signed[:, 1] * SHEAR
    scale_x, scale_y = torch.exp(signed[:, 2] * SCALE), torch.exp(signed[:, 3] * SCALE)
    cosine, sine = angle.cos(), angle.sin()
    affine = torch.stack([scale_x * cosine, scale_x * (lean * cosine - sine),
                          scale_y * sine, scale_y * (lean * sine + cosine)], 1).view(count, 2, 2)
    steps = (torch.arange(size, device=device) * 2 + 1) / size - 1
    plane = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).view(-1, 2)
    grid = plane @ affine.transpose(1, 2) + (signed[:, None, 4:6] * (2 * SHIFT))
    coarse = torch.erfinv((uniforms[:, 7:] * 2 - 1).clamp(-0.999, 0.999)).view(count, 2, WAVES, WAVES) * math.sqrt(2)
    amplitude = (2 * ELASTIC) * uniforms[:, 6, None, None, None]
    smooth = _cubic(size, device)
    field = (smooth @ (coarse * amplitude) @ smooth.T).view(count, 2, -1).transpose(1, 2)
    return (grid + field).view(count, size, size, 2)


@lru_cache(maxsize=16)
def _cubic(size, device):
    "The matrix (size, WAVES) of uniform cubic B-spline weights that spreads a coarse grid over an image's side."
    place = torch.linspace(0, WAVES - 1, size)[:, None]
    gap = (place - torch.arange(WAVES)).abs()
    weight = torch.where(gap < 1, 2 / 3 - gap ** 2 + gap ** 3 / 2, (2 - gap).clamp(min=0) ** 3 / 6)
    return (weight / weight.sum(1, keepdim=True)).to(device)


def handwriting(images, uniforms):
    "Bends floating-point images (N, C, S, S) as another hand might have written them; the border is repeated."
    grid = handwriting_grid(uniforms, images.shape[2])
    return grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def normalised(pixels, mean, deviation):
    "uint8 (N, C, H, W) → float32, (pixels / 255 − mean) / deviation for each channel; keeps the memory layout."
    if len(mean) == 1:
        return torch.mul(pixels, 1 / (255 * deviation[0])).sub_(mean[0] / deviation[0])
    scale, offset = _scale_and_offset(tuple(mean), tuple(deviation), pixels.shape[3], pixels.device)
    return pixels.float().mul_(scale).sub_(offset)


@lru_cache(maxsize=16)
def _scale_and_offset(mean, deviation, width, device):
    """1 / (255 · deviation) and mean / deviation, float32 (C, 1, W) in channels-last order, taken to a device once: a
    whole line of an image at a time, as three numbers at a time take twice as long."""
    def line(values):
        return values.repeat(width, 1).t()[:, None, :]
    mean, deviation = (torch.tensor(values, device=device) for values in (mean, deviation))
    return line(1 / (255 * deviation)), line(mean / deviation)


class Augmentation:
    """One kind of augmentation, from the stored pixels to `crop_size` for the network (None: all of them), in the two
    places where it acts: on uint8 pixels before they become numbers, and on the numbers."""

    def __init__(self, kind, crop_size):
        self.kind, self.crop_size = one_of("augment", kind, KINDS), crop_size
        self.uniforms = UNIFORMS[kind]

    def __repr__(self):
        return f"{self.kind}, {self.crop_size} pixels"

    def on_pixels(self, images, uniforms):
        "uint8 (N, C, H, W) → uint8 (N, C, crop, crop); `uniforms` None means evaluation: the centre."
        height, width = images.shape[2:]
        if self.crop_size is None:
            return images
        if min(height, width) < self.crop_size:
            raise OptionError(f"crop_size: {self.crop_size} pixels cannot be cut out of images of {width}×{height}.")
        if uniforms is None or self.kind in ("none", "handwriting"):
            return images if height == width == self.crop_size else centre_crop(images, self.crop_size)
        top, left = crop_positions(uniforms, height, width, self.crop_size)
        images = crop(images, top, left, self.crop_size, padding(width, self.crop_size))
        return mirror(images, uniforms[:, 2] < 0.5) if self.kind == "crop+mirror" else images

    def on_numbers(self, images, uniforms):
        "float (N, C, S, S) → float (N, C, S, S)."
        return handwriting(images, uniforms) if self.kind == "handwriting" and uniforms is not None else images
