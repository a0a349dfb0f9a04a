"""The parts that networks are laid of."""
import torch

from fastlab.nets.parts import Dropout


def test_dropout_zeroes_the_asked_share_keeps_the_mean_and_sleeps_in_evaluation():
    torch.manual_seed(0)
    dropout, ones = Dropout(0.3), torch.ones(1000, 1000)
    kept = dropout(ones)
    assert abs(float((kept == 0).double().mean()) - 0.3) < 0.002
    assert torch.equal(kept[kept != 0], torch.full_like(kept[kept != 0], 1 / 0.7))
    assert torch.equal(dropout.eval()(ones), ones)


def test_dropout_passes_no_gradient_where_it_gave_zero():
    torch.manual_seed(0)
    ones = torch.ones(64, 100, requires_grad=True)
    kept = Dropout(0.5)(ones)
    kept.sum().backward()
    assert torch.equal(ones.grad, kept.detach())
