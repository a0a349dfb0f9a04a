"""A trained network as ONNX, for programs that have neither torch nor fastlab: pixels in, probabilities out.

Normalisation and softmax are inside. The network goes through torch.export (the exporter that PyTorch recommends), its
answers are held against the network's own on real images, and only then is the file written."""
import json
from copy import deepcopy
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from torch import nn

import fastlab
from fastlab.errors import ModelFileError, OptionError
from fastlab.files import write_bytes
from fastlab.images.augment import centre_crop
from fastlab.images.decode import open_image
from fastlab.nets import LocalResponseNorm
from fastlab.training.evaluate import scores
from fastlab.training.predict import images_below

PACKAGES = ("onnx", "onnxscript", "onnxruntime")    # the extra [onnx]; torch's exporter asks for onnxscript
TOLERANCE = 1e-4                # the largest difference in a probability that is passed
COMPARED = 100                  # images that answers are compared on, at most …
TOGETHER = 32                   # … and at once
PIXELS, PROBABILITIES = "pixels", "probabilities"


class PixelsToProbabilities(nn.Module):
    "What is exported: float32 (N, C, crop, crop) of 0 … 255 → probabilities (N, classes), on a copy of the network."

    def __init__(self, model):
        super().__init__()
        mean, deviation = (torch.tensor(model.input[name]).view(-1, 1, 1) for name in ("mean", "deviation"))
        self.register_buffer("scale", 1 / (255 * deviation))
        self.register_buffer("offset", mean / deviation)
        self.net = deepcopy(model.net).cpu().float().eval()
        for part in self.net.modules():
            if isinstance(part, LocalResponseNorm):
                part.sum_by_band()

    def forward(self, pixels):
        return self.net(pixels * self.scale - self.offset).softmax(1)


def export_model(model, path, images):
    """Writes a Model as ONNX to `path`, in place of what was there, once it answers as the network does on `images`,
    uint8 (N, size, size, channels). Returns the largest difference in a probability; above TOLERANCE nothing is
    written. Both are computed in float32. Raises OptionError (a package is missing), ModelFileError, StorageError."""
    check_packages()
    if not len(images):
        raise OptionError("export: there is no image to compare the answers on.")
    content = onnx_bytes(model)
    difference = largest_difference(content, model, images)
    if not difference <= TOLERANCE:
        raise ModelFileError(f"{path}: not written: the exported network's probabilities differ from the network's by "
                             f"{difference:.2g} on {len(images)} images, and {TOLERANCE:g} is allowed. Another version "
                             f"of {', '.join(PACKAGES)} or torch may translate it rightly.")
    write_bytes(path, content)
    return difference


def compared_images(model, folder):
    """Images below a folder, evenly spread over it, as a Model takes them: uint8 (N, size, size, channels), N at most
    COMPARED. Raises FolderError, ImageError."""
    paths = images_below(Path(folder))
    rows = np.unique(np.linspace(0, len(paths) - 1, COMPARED).round().astype(int))
    size, channels = model.input["size"], model.input["channels"]
    return np.stack([open_image(paths[row], channels, size).reshape(size, size, channels) for row in rows])


def check_packages():
    "An OptionError that says what to install, where a package of the extra [onnx] is missing."
    for name in PACKAGES:
        try:
            import_module(name)
        except ImportError as error:
            raise OptionError(f"export: it needs the package {name!r}, which cannot be imported ({error}). Install "
                              "what belongs to it: pip install 'fastlab[onnx]'") from error


def onnx_bytes(model):
    "The ONNX file of a Model, for any number of images at once; the same network gives the same bytes."
    import onnx
    channels, crop = model.input["channels"], model.input["crop"]
    example, batch = torch.zeros(2, channels, crop, crop), torch.export.Dim("batch")  # of one, it makes a constant
    try:
        with torch.no_grad():
            whole = PixelsToProbabilities(model).eval()
            traced = torch.export.export(whole, (example,), dynamic_shapes={PIXELS: {0: batch}}, strict=False)
            program = torch.onnx.export(traced, input_names=[PIXELS], output_names=[PROBABILITIES],
                                        dynamic_shapes={PIXELS: {0: "batch"}}, dynamo=True, verbose=False)
    except (RuntimeError, NotImplementedError) as error:  # of which the exporters' own errors are kinds
        why = str(error).strip().partition("\n")[0]
        raise ModelFileError(f"{model.path or 'network'}: {model.recipe.net} cannot be exported: {why} Its steps must "
                             "be the same for every image and any number of images.") from error
    proto = program.model_proto
    _without_traces(proto)
    proto.producer_name, proto.producer_version = "fastlab", fastlab.__version__
    proto.doc_string = described(model)
    onnx.helper.set_model_props(proto, properties(model))
    onnx.checker.check_model(proto)
    return proto.SerializeToString(deterministic=True)


def _without_traces(proto):
    "Takes out the exporter's notes on where in the source each step came from: paths of this machine."
    graph = proto.graph
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer, graph):
        del part.metadata_props[:]


def described(model):
    "What goes in and comes out, in words; stands in the file as its description."
    told = model.input
    colour = "RGB" if told["channels"] == 3 else "grey, white 255"
    return (f"{PIXELS}: float32 (batch, {told['channels']}, {told['crop']}, {told['crop']}), {colour}, 0 to 255: the "
            f"image's short side scaled to {told['size']}, its centre cut out. {PROBABILITIES}: float32 (batch, "
            f"{len(model.classes)}), in the order of `classes`. Normalisation and softmax are inside.")


def properties(model):
    "{name: JSON text}: the file's metadata, apart from what is of the training alone."
    told = {**model.metadata, "classes": list(model.classes), "names": list(model.names)}
    return {name: json.dumps(value, ensure_ascii=False, sort_keys=True) for name, value in told.items()
            if name not in ("history", "seen")}


def largest_difference(content, model, images):
    "The largest difference in a probability between an ONNX file (bytes) and the Model it came from; nan if one is."
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    crop, largest = model.input["crop"], 0.0
    for start in range(0, len(images), TOGETHER):
        part = np.ascontiguousarray(images[start:start + TOGETHER])
        pixels = centre_crop(torch.from_numpy(part).permute(0, 3, 1, 2), crop).float().contiguous().numpy()
        found = session.run([PROBABILITIES], {PIXELS: pixels})[0]
        own = scores(model.net, part, model.input["mean"], model.input["deviation"], crop).softmax(1).cpu().numpy()
        largest = np.maximum(largest, np.abs(found - own).max())
    return float(largest)
