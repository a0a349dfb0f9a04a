"""What a network affords: more images for a small one, never more maps in memory than the bound."""
import torch
from torch import nn

from fastlab.inside.budget import MEMORY, Budget
from fastlab.nets.alexnet import alexnet2012
from fastlab.nets.lenet import lenet


def test_of_lenet_by_hand():
    budget = Budget.of(lenet(), 1, 28)
    assert budget.multiplications == 313_600 + 12_544 + 2_508_800 + 6_272 + 18_816
    values = 2 * 12_544 + 2 * 3_136 + 2 * 6_272 + 2 * 1_568 + 2 * 1_568 + 12
    assert budget.map_bytes == 4 * values
    assert budget.chunk == 128


def test_images_are_what_the_work_allows_within_bounds():
    budget = Budget(1000, 1)
    assert budget.images(60_000, passes=3) == 20
    assert budget.images(60_000, passes=3, least=32) == 32
    assert budget.images(60_000, passes=3, most=7) == 7


def test_maps_in_hand_stay_within_the_bound():
    with torch.device("meta"):
        full = alexnet2012(1000)
    budget = Budget.of(full, 3, 227)
    assert budget.multiplications > 1.1e9
    assert budget.chunk >= 1
    assert budget.chunk * budget.map_bytes <= MEMORY
    assert (budget.chunk + 1) * budget.map_bytes > MEMORY
    wide = nn.Sequential(nn.Conv2d(1, 2048, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 2))
    wide = Budget.of(wide, 1, 128)
    assert wide.map_bytes > MEMORY
    assert wide.chunk == 1
