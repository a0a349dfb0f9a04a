"""Model files written byte by byte as the format says, so that a test can write one that fastlab would not."""
import json
import struct
from hashlib import sha256

KINDS = {"float32": "F32", "float64": "F64", "int64": "I64"}


def written(path, texts, tensors):
    """A model file of `texts`, {name: text of the metadata}, and `tensors`, {name: numpy array}, with a true digest:
    a safetensors file whose metadata hold the SHA-256 of the whole, its own 64 characters taken as zeros."""
    header, data = {"__metadata__": {**texts, "sha256": "0" * 64}}, b""
    for name, array in tensors.items():
        header[name] = {"dtype": KINDS[str(array.dtype)], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    content = struct.pack("<Q", len(text)) + text + data
    path.write_bytes(content.replace(b"0" * 64, sha256(content).hexdigest().encode(), 1))
    return path


def parts_of(model):
    "(texts, tensors) of a Model, ready to be changed and written."
    texts = {name: json.dumps(value) for name, value in model.metadata.items()}
    tensors = {name: tensor.contiguous().numpy() for name, tensor in model.net.state_dict().items()}
    return {**texts, "fastlab": "1"}, tensors
