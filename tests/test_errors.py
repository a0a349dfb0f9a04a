"""Messages that name what was written, the rule and the cure."""
import pickle

import pytest

from fastlab import errors
from fastlab.errors import FastlabError, ImageError, OptionError, nearest, one_of

WORDS = ("lenet", "lenet-classic", "alexnet", "alexnet2012")


def test_every_error_is_one_family():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert len(kinds) == 8
    assert all(issubclass(kind, FastlabError) for kind in kinds)


@pytest.mark.parametrize(("written", "meant"), [("lennet", "lenet"), ("AlexNet", "alexnet"), ("LENET", "lenet"),
                                                ("alexnet-2012", "alexnet2012")])
def test_a_mistyped_word_gets_the_nearest_one_whatever_its_case(written, meant):
    assert nearest(written, WORDS) == f"Did you mean {meant!r}?"


def test_a_word_near_none_gets_the_whole_list():
    assert nearest("resnet50-xyz", ("sgd", "adam")) == "Choose one of: sgd, adam."


def test_a_known_word_is_given_back_and_another_is_an_error_that_names_the_option():
    assert one_of("net", "lenet", WORDS) == "lenet"
    with pytest.raises(OptionError, match=r"net: 'lenett' is not known\. Did you mean 'lenet'\?"):
        one_of("net", "lenett", WORDS)


def test_an_image_error_keeps_its_reasons_when_a_worker_process_sends_it():
    again = pickle.loads(pickle.dumps(ImageError("2 images", {"a.png": "cut"})))
    assert (str(again), again.reasons) == ("2 images", {"a.png": "cut"})
