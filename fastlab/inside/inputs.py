"""What every measurement takes: images as a network takes them, in chunks, so that memory stays bounded."""
import numpy as np
import torch

from fastlab.errors import OptionError


def prepared(images, net=None, mean=0.0, std=1.0):
    """Images as a float tensor (N, C, H, W) on the device and in the precision of `net`.

    uint8 (N, H, W), (N, H, W, C) or one image (H, W, C) become (value / 255 - mean) / std, with `mean` and `std` as
    numbers or one a channel; a float tensor or array (N, C, H, W) is taken as it is, prepared already."""
    tensor = torch.as_tensor(np.asarray(images) if not torch.is_tensor(images) else images)
    if tensor.dtype == torch.uint8:
        tensor = channels_first(tensor).float() / 255
        mean, std = (torch.as_tensor(value, dtype=tensor.dtype).reshape(-1, 1, 1) for value in (mean, std))
        tensor = (tensor - mean) / std
    if tensor.ndim != 4 or not tensor.is_floating_point() or not len(tensor):
        raise OptionError(f"images: {tuple(tensor.shape)} of {tensor.dtype} is neither uint8 (N, H, W, C) nor float "
                          "(N, C, H, W) with at least one image.")
    example = None if net is None else next(net.parameters(), None)
    return tensor if example is None else tensor.to(example.device, example.dtype)


def channels_first(tensor):
    "A uint8 tensor (N, H, W), (N, H, W, C) or (H, W, C) as (N, C, H, W)."
    if tensor.ndim == 3:
        tensor = tensor[None] if tensor.shape[-1] in (1, 3) else tensor[..., None]
    return tensor.movedim(-1, 1)


def checked_labels(labels, images):
    "Labels as an int64 tensor beside `images`, one each. Raises OptionError."
    labels = torch.as_tensor(np.asarray(labels), dtype=torch.int64, device=images.device)
    if labels.shape != (len(images),):
        raise OptionError(f"labels: {tuple(labels.shape)} labels do not go with {len(images)} images; give one each.")
    return labels


def in_chunks(net, images, chunk=256):
    "Scores (N, classes) of all `images`, `chunk` at a time, without gradients; the network's mode is the caller's."
    with torch.no_grad():
        return torch.cat([net(part) for part in images.split(chunk)])


def probabilities(net, images, chunk=256):
    "Class probabilities (N, classes) as float32 numpy; the network's mode is the caller's."
    return in_chunks(net, images, chunk).float().softmax(1).cpu().numpy()
