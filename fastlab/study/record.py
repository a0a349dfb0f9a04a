"""One run as bytes: a line that names the form, a checksum, a header in JSON, arrays one after the other. No pickle.

Arrays are compressed one by one and read only when asked for: statistics over a thousand runs touch little."""
import hashlib
import json
import zlib
from collections.abc import Mapping

import numpy as np

from fastlab.errors import StorageError
from fastlab.training.result import Result

MAGIC = b"fastlab run 1\n"
DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "uint8", "bool")
START = len(MAGIC) + 64 + 8
LARGEST = 2 ** 31


class DamagedRecord(StorageError):
    "A result's file that is cut, edited, or not one of fastlab's."


def encode(key, result, told=None):
    "The bytes of one run; `told`: plain data that describes it to people (Recipe, seed, names)."
    blobs, arrays, offset = [], [], 0
    for place, values in _places(result):
        values = np.ascontiguousarray(values)
        if str(values.dtype) not in DTYPES:
            raise StorageError(f"result {'/'.join(map(str, place))}: {values.dtype} is not a kind of number it keeps.")
        blob = zlib.compress(values.tobytes(), 1)
        arrays.append([place, str(values.dtype), list(values.shape), offset, len(blob)])
        blobs.append(blob)
        offset += len(blob)
    header = json.dumps({"key": key, "told": told or {}, "machine": dict(result.machine), "seconds": result.seconds,
                         "arrays": arrays}, sort_keys=True, allow_nan=False).encode()
    body = b"".join((len(header).to_bytes(8, "big"), header, *blobs))
    return b"".join((MAGIC, hashlib.sha256(body).hexdigest().encode(), body))


def _places(result):
    for name in sorted(result.epochs):
        yield ["epochs", name], np.asarray(result.epochs[name], np.float64)
    for epoch in sorted(result.marks):
        for name in sorted(result.marks[epoch]):
            yield [int(epoch), name], result.marks[epoch][name]


def decode(content, key=None):
    """(Result, told) of the bytes that `encode` made. The whole is held against its checksum first. Raises
    DamagedRecord: cut, edited, another form, or another run's than `key`."""
    if content[:len(MAGIC)] != MAGIC:
        raise DamagedRecord("not a result of fastlab's, or of another form")
    body = memoryview(content)[len(MAGIC) + 64:]
    if len(body) < 8 or hashlib.sha256(body).hexdigest().encode() != content[len(MAGIC):len(MAGIC) + 64]:
        raise DamagedRecord("cut or edited: its checksum does not fit")
    length = int.from_bytes(body[:8], "big")
    header = json.loads(bytes(body[8:8 + length]))
    if key is not None and header["key"] != key:
        raise DamagedRecord(f"it is the result of another run, {header['key']}")
    blobs, epochs, marks = body[8 + length:], {}, {}
    for (first, name), dtype, shape, offset, size in header["arrays"]:
        part = _Part(blobs[offset:offset + size], dtype, tuple(shape))
        if first == "epochs":
            epochs[name] = part.read()
        else:
            marks.setdefault(first, {})[name] = part
    marks = {epoch: Lazily(parts) for epoch, parts in marks.items()}
    return Result(epochs, marks, header["machine"], header["seconds"]), header["told"]


class _Part:
    "One array still compressed."

    def __init__(self, blob, dtype, shape):
        self.blob, self.dtype, self.shape = blob, dtype, shape

    def read(self):
        count = int(np.prod(self.shape))
        if self.dtype not in DTYPES or not 0 <= count < LARGEST:
            raise DamagedRecord(f"an array of {self.dtype} {self.shape} is not one that it keeps")
        wanted = count * np.dtype(self.dtype).itemsize
        plain = zlib.decompressobj().decompress(self.blob, wanted + 1)
        if len(plain) != wanted:
            raise DamagedRecord("an array has another length than it says")
        return np.frombuffer(plain, self.dtype).reshape(self.shape)


class Lazily(Mapping):
    "name -> array, each decompressed when it is asked for."

    def __init__(self, parts):
        self._parts = parts

    def __getitem__(self, name):
        return self._parts[name].read()

    def __iter__(self):
        return iter(self._parts)

    def __len__(self):
        return len(self._parts)
