"""The small parts, each beside what it stands for, by pytest-benchmark; the number in brackets is the ratio.

python -m pytest -o addopts= tests/benchmarks/test_micro.py --benchmark-columns=min,median,rounds --benchmark-sort=name
One thread. Photographs are those in $FASTLAB_PHOTOGRAPHS (<class>/<image>, or in splits), or 300 made up: gradients
with coarse noise, JPEGs of 400 × 300, which are quicker to decode than real ones."""
import os
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}      # before torch is imported

import numpy as np
import pytest
import torch
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.transforms import RandomSplitter, get_image_files, parent_label
from fastai.torch_core import TensorImage
from fastai.vision.augment import Flip, RandomCrop, RandomResizedCropGPU
from fastai.vision.data import ImageBlock
from PIL import Image
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
from photographs import draw

from fastlab.images.augment import Augmentation
from fastlab.images.batches import folder_dataloaders
from fastlab.images.cache import decode_all
from fastlab.images.decode import open_image
from fastlab.nets import build
from fastlab.nets.normalisation import LocalResponseNorm
from fastlab.training.evaluate import scores
from fastlab.training.penalties import L1Penalty

REAL = os.environ.get("FASTLAB_PHOTOGRAPHS")
COUNT, BATCH = sum(1 for _ in Path(REAL).rglob("*.jpg")) if REAL else 300, 64
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    place = tmp_path_factory.mktemp("photographs") / "images"
    if REAL:
        return Path(REAL)
    draw(place, COUNT)
    return place


@pytest.fixture(scope="module")
def files(photographs):
    return sorted(photographs.rglob("*.jpg"))


def forward_and_backward(part, maps):
    def step():
        maps.grad = None
        part(maps).sum().backward()
    return step


@pytest.mark.benchmark(group="LRN forward and backward, 64 × 16 channels of 14 × 14")
@pytest.mark.parametrize("whose", ["fastlab", "torch"])
def test_lrn(benchmark, whose):
    maps = torch.randn(BATCH, 16, 14, 14).to(memory_format=torch.channels_last).requires_grad_()
    part = LocalResponseNorm(16, "torch", 16) if whose == "fastlab" else nn.LocalResponseNorm(16)
    benchmark(forward_and_backward(part, maps))


@pytest.mark.benchmark(group="LRN forward and backward, 16 × 96 channels of 27 × 27")
@pytest.mark.parametrize("whose", ["fastlab", "torch"])
def test_lrn_of_2012(benchmark, whose):
    maps = torch.randn(16, 96, 27, 27).to(memory_format=torch.channels_last).requires_grad_()
    part = LocalResponseNorm(96, "torch", 5) if whose == "fastlab" else nn.LocalResponseNorm(5)
    benchmark(forward_and_backward(part, maps))


@pytest.mark.benchmark(group="L1 a step, reduced AlexNet (10,778,796 parameters)")
@pytest.mark.parametrize("form", ["gradient", "loss", "proximal"])
def test_l1(benchmark, form):
    net, penalty = build("alexnet", 12), L1Penalty(1e-3, form)
    parameters = list(net.parameters())
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    penalty.learn = SimpleNamespace(model=net, opt=SimpleNamespace(param_lists=[parameters], hypers=[{"lr": 1e-3}]))

    def step():
        if form == "loss":
            penalty.learn.loss_grad = torch.zeros(())
            penalty.after_loss()
            penalty.learn.loss_grad.backward()
        elif form == "gradient":
            penalty.before_step()
        else:
            penalty.after_step()
    benchmark(step)


@pytest.mark.benchmark(group="crop of 224 and mirror, 64 images of 256 × 256 RGB in memory")
@pytest.mark.parametrize("whose", ["fastlab", "fastai on batches"])
def test_crop_and_mirror(benchmark, whose):
    pixels = torch.randint(0, 256, (BATCH, 256, 256, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    if whose == "fastlab":
        augmentation, uniforms = Augmentation("crop+mirror", 224), torch.rand(BATCH, 3)
        benchmark(lambda: augmentation.on_pixels(pixels, uniforms))
    else:
        numbers, crop, flip = TensorImage(pixels.float()), RandomResizedCropGPU(224), Flip()
        benchmark(lambda: flip(crop(numbers, split_idx=0), split_idx=0))


@pytest.mark.benchmark(group="open a photograph, its short side to 256, the centre of it")
@pytest.mark.parametrize("whose", ["fastlab", "Pillow"])
def test_decode(benchmark, files, whose):
    def plain():
        image = Image.open(files[0]).convert("RGB").resize((341, 256), Image.Resampling.BILINEAR)
        return np.asarray(image)[:, 42:298]
    benchmark(lambda: open_image(files[0], 3, 256) if whose == "fastlab" else plain())


@pytest.mark.benchmark(group=f"{COUNT} photographs as one array")
@pytest.mark.parametrize("state", ["from the cache", "decoded anew, one process"])
def test_cache(benchmark, files, tmp_path, state):
    places = iter(range(10 ** 6))
    decode_all(files, 3, 256, tmp_path / "kept", jobs=1)
    if state == "from the cache":
        benchmark(lambda: decode_all(files, 3, 256, tmp_path / "kept", jobs=1))
    else:
        benchmark.pedantic(lambda: decode_all(files, 3, 256, tmp_path / str(next(places)), jobs=1), rounds=5)


@pytest.mark.benchmark(group="prediction of 32 photographs, AlexNet of 2012, a quarter of its width")
@pytest.mark.parametrize("views", ["one view", "ten crops"])
def test_ten_crop(benchmark, views):
    net = build("alexnet2012", 10, 3, 224, width=0.25).to(memory_format=torch.channels_last).eval()
    images = torch.randint(0, 256, (32, 256, 256, 3), dtype=torch.uint8)
    benchmark(lambda: scores(net, images, (0.5,) * 3, (0.25,) * 3, 224, ten_crop=views == "ten crops", mirrored=True))


@pytest.mark.benchmark(group=f"a second epoch of {COUNT} photographs out of the loader, crops of 224 mirrored")
@pytest.mark.parametrize("whose", ["fastlab", "fastai, 0 workers", "fastai, 2 workers"])
def test_loader(benchmark, photographs, tmp_path, whose):
    if whose == "fastlab":
        dls = folder_dataloaders(photographs, BATCH, "crop+mirror", 256, 3, 224, on="total_train", cache=tmp_path)
    else:
        block = DataBlock((ImageBlock, CategoryBlock), get_items=get_image_files, get_y=parent_label,
                          splitter=RandomSplitter(0.2, seed=0), item_tfms=RandomCrop(224), batch_tfms=Flip())
        dls = block.dataloaders(photographs, bs=BATCH, num_workers=int(whose.split()[1]))

    def epoch():
        return sum(len(x) for x, y in dls.train)
    epoch()
    benchmark.extra_info["images"] = epoch()
    benchmark.pedantic(epoch, rounds=5)
