"""What names a run: the contents of a file of weights, whatever the file is called."""
import hashlib
import json

import pytest

from fastlab.errors import StorageError
from fastlab.files import digest
from fastlab.study.keys import run_key
from fastlab.training.recipe import Recipe


def key(**options):
    return run_key("data", Recipe(**options).resolved(1, 28, "fp32"), 0, "code")


def named(**fields):
    "The name by the rule, written out anew."
    told = Recipe().resolved(1, 28, "fp32").to_dict() | fields
    del told["epochs"]
    return digest("run", "data", json.dumps(told, sort_keys=True), "0", "code")[:40]


def test_other_weights_under_the_same_name_are_another_run_and_the_same_under_another_are_not(tmp_path):
    one, other = (tmp_path / name for name in ("one.safetensors", "other.safetensors"))
    one.write_bytes(b"first")
    other.write_bytes(b"first")
    before = key(weights=str(one))
    assert before == key(weights=str(other)) != key()
    one.write_bytes(b"second")
    assert key(weights=str(one)) != before == key(weights=str(other))
    assert before == named(weights=hashlib.sha256(b"first").hexdigest())


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(StorageError, match=r"nowhere\.safetensors: No such file"):
        key(weights=str(tmp_path / "nowhere.safetensors"))


def test_a_run_without_weights_is_called_as_ever():
    "The results that were kept before stay."
    assert key() == named()
