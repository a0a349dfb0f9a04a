"""What a warning does in these tests: an error where fastlab's own modules raise it, a line where others do."""
from pkgutil import walk_packages

import pytest

import fastlab

OURS = ["fastlab", *(found.name for found in walk_packages(fastlab.__path__, "fastlab."))]
OTHERS = ["fastai.torch_core", "torch.jit", "my_fastlab", "tests.test_warnings"]


def warn_in(module, kind):
    "A warning as code of that module raises it."
    names = {"__name__": module, "kind": kind}
    exec("import warnings\nwarnings.warn('odd', kind)", names)


@pytest.mark.parametrize("kind", [UserWarning, DeprecationWarning, FutureWarning, RuntimeWarning])
def test_fault_17_a_warning_of_any_module_of_ours_is_an_error(kind):
    assert {"fastlab.cli", "fastlab.training.loop", "fastlab.page.app", "fastlab.study.report.write"} < set(OURS)
    for module in OURS:
        with pytest.raises(kind, match="odd"):
            warn_in(module, kind)


@pytest.mark.parametrize("module", OTHERS)
def test_fault_17_a_warning_of_others_is_printed_and_goes_on(module):
    with pytest.warns(FutureWarning, match="odd"):
        warn_in(module, FutureWarning)
