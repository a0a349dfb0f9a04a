"""fastai's `plot_top_losses` with both probabilities; its own shows that of the predicted class alone."""
from fastai.interpret import plot_top_losses
from fastai.torch_core import TensorCategory
from fastai.vision.data import get_grid

from fastlab.images.items import TensorColour, TensorGrey


@plot_top_losses.dispatch
def with_both_probabilities(x: TensorGrey | TensorColour, y: TensorCategory, samples, outs, raws, losses, nrows=None,
                            ncols=None, figsize=None, **kwargs):
    "Each image under predicted/true / loss / probability of the predicted/of the true class."
    axes = get_grid(len(samples), nrows=nrows, ncols=ncols, figsize=figsize,
                    title="Prediction/Actual / Loss / Probability of each")
    for ax, sample, out, shares, truth, loss in zip(axes, samples, outs, raws, y, losses):
        sample[0].show(ctx=ax, **kwargs)
        ax.set_title(f"{out[0]}/{sample[1]} / {loss.item():.2f} / {shares.max().item():.2f}/{shares[truth].item():.2f}")
