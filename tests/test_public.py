"""The names that scripts rely on: all are there, each loads what it needs, and none costs anything before its use."""
import subprocess
import sys

import pytest

import fastlab

NAMES = ("FastlabError", "Recipe", "folder_dataloaders", "lenet_learner", "alexnet_learner", "lab_learner",
         "load_model", "train", "test", "predict", "check", "explain", "Study", "advise")


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_listed_loads_and_can_be_called(name):
    assert name in fastlab.__all__
    assert name in dir(fastlab)
    assert callable(getattr(fastlab, name))


def test_no_other_name_is_public_and_an_unknown_one_is_an_attribute_error():
    assert {*NAMES, "__version__"} == set(fastlab.__all__)
    with pytest.raises(AttributeError, match="lenet_lerner"):
        _ = fastlab.lenet_lerner


def test_importing_fastlab_and_a_recipe_costs_no_torch():
    code = "import sys, fastlab; fastlab.Recipe(); sys.exit('torch' in sys.modules or 'fastai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
