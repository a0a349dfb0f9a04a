"""Every bit of a model file's header and a sample of the rest; cut files; files that are something else."""
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from trainings import QUICK, learner_for

from fastlab.errors import ModelFileError, StorageError
from fastlab.training.modelfile import load_model, save_model
from fastlab.training.train import model_of
from fastlab.training.wholefile import checked_metadata, read_model_file


@pytest.fixture(scope="module")
def file(shape_arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "a.safetensors"
    save_model(path, model_of(learner_for(shape_arrays, QUICK, 0)))
    return path


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_fault_12_every_flipped_bit_of_the_header_and_a_sample_of_the_rest_is_noticed(file):
    content = file.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    rest = np.random.default_rng(0).integers(header * 8, len(content) * 8, 500).tolist()
    for bit in [*range(header * 8), *rest, len(content) * 8 - 1]:
        with pytest.raises(ModelFileError, match=r"a\.safetensors"):
            checked_metadata(file, flipped(content, bit))
    checked_metadata(file, content)


def test_fault_12_a_cut_or_lengthened_file_is_noticed_at_every_length(file):
    content, rng = file.read_bytes(), np.random.default_rng(1)
    header = 8 + int.from_bytes(content[:8], "little")
    for length in [*range(header + 1), *rng.integers(header, len(content), 300).tolist(), len(content) - 1]:
        with pytest.raises(ModelFileError, match=r"a\.safetensors"):
            checked_metadata(file, content[:length])
    for more in (b"\0", b" " * 8, content):
        with pytest.raises(ModelFileError, match="SHA-256"):
            checked_metadata(file, content + more)


def test_damaged_files_on_disk_are_refused_with_what_is_wrong(file, tmp_path):
    content, path, rng = file.read_bytes(), tmp_path / "b.safetensors", np.random.default_rng(2)
    swapped = content[:-2000] + content[-1000:] + content[-2000:-1000]
    for wrong in (swapped, *(flipped(content, int(bit)) for bit in rng.integers(8 * 2000, len(content) * 8, 20))):
        path.write_bytes(wrong)
        with pytest.raises(ModelFileError, match=r"b\.safetensors: the file is damaged.*SHA-256.*Take a copy"):
            load_model(path)
    for length in (0, 7, 8, 9, 500):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match=r"b\.safetensors: .*cut, damaged or of another kind"):
            load_model(path)
    path.write_bytes(content)
    assert load_model(path).classes == ("1", "2", "3", "10")


class Trap:
    "An object whose unpickling leaves a mark."

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_fault_12_no_code_of_any_file_is_run(tmp_path):
    mark = tmp_path / "code was run"
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(Trap(mark)))
    torch.save({"model": Trap(mark)}, tmp_path / "b.pth")
    for name in ("a.pkl", "b.pth"):
        with pytest.raises(ModelFileError, match=f"{name}: not a network that fastlab saved"):
            load_model(tmp_path / name)
    assert not mark.exists()
    pickle.loads((tmp_path / "a.pkl").read_bytes())
    assert mark.exists()        # the trap was one


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"\0" * 99, b"{}" * 40, b"\xff" * 4000,
                                     (100).to_bytes(8, "little") + b"x" * 100,
                                     (1 << 62).to_bytes(8, "little") + b"{}" * 99], ids=len)
def test_what_is_no_model_file_is_said_to_be_none(tmp_path, content):
    (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"x\.bin: "):
        load_model(tmp_path / "x.bin")


def test_another_programs_safetensors_are_told_where_they_belong(tmp_path):
    save_file({"weight": torch.zeros(3)}, tmp_path / "x.safetensors", {"format": "pt"})
    with pytest.raises(ModelFileError, match=r"carries no digest.*fastlab train --weights FILE"):
        load_model(tmp_path / "x.safetensors")


def test_of_a_large_file_that_is_none_of_ours_only_the_header_is_read(tmp_path):
    path = tmp_path / "large.safetensors"
    with open(path, "wb") as sparse:
        sparse.write((20).to_bytes(8, "little") + b'{"__metadata__":{}} ')
        sparse.truncate(1 << 40)        # a terabyte, of which the disk holds a page
    with pytest.raises(ModelFileError, match="carries no digest"):
        load_model(path)
    with open(path, "wb") as sparse:
        sparse.write((33 << 20).to_bytes(8, "little"))
        sparse.truncate(1 << 40)
    with pytest.raises(ModelFileError, match="not a network that fastlab saved"):
        read_model_file(path)


def test_places_without_a_file_are_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"none\.safetensors: no such file.*fastlab train"):
        load_model(tmp_path / "none.safetensors")
    with pytest.raises(StorageError, match="this is a folder, and a file is needed"):
        load_model(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="a device or a pipe"):
        load_model(tmp_path / "pipe")
