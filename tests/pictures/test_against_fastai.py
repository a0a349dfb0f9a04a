"""fastai's own interpretation of a Learner and the pictures of its predictions say the same."""
import numpy as np
import pytest
from fastai.interpret import ClassificationInterpretation
from matplotlib import pyplot as plt

from fastlab.pictures import confusion, results
from fastlab.training.recipe import Recipe
from fastlab.training.run import learner_for


@pytest.fixture(scope="module")
def both(shape_arrays):
    "(Learner, truth, probabilities, images, names) of the develop split, after one epoch, so that there are mistakes."
    learn = learner_for(shape_arrays, Recipe(epochs=1, batch_size=24, width=0.25, precision="fp32"), 0)
    with learn.no_bar(), learn.no_logging():
        learn.fit_recipe()
        shares, truth = learn.get_preds()
    rows = shape_arrays.splits["develop"]
    yield learn, truth.numpy(), shares.numpy(), shape_arrays.images[rows], list(shape_arrays.classes)
    plt.close("all")


def test_the_confusion_matrix_and_the_most_confused_pairs_are_fastais(both):
    learn, truth, shares, images, names = both
    with learn.no_bar(), learn.no_logging():
        found = ClassificationInterpretation.from_learner(learn)
        table, pairs = found.confusion_matrix(), found.most_confused(min_val=1)
    assert np.trace(table) < len(truth)
    ax = confusion.matrix(truth, shares.argmax(1), names, order="given")
    drawn = np.zeros_like(table)
    for text in ax.texts:
        column, row = text.get_position()
        drawn[int(row), int(column)] = int(text.get_text())
    np.testing.assert_array_equal(drawn, table)
    told = [row[0].texts[0].get_text() for row in results.pairs(images, truth, shares, names, count=12)]
    assert sorted(told) == sorted(f"{true} taken for {said}: {count} of {table[names.index(true)].sum()} "
                                  f"({100 * count / table[names.index(true)].sum():.1f} %)"
                                  for true, said, count in pairs)


def test_the_worst_mistakes_are_the_wrong_ones_among_fastais_top_losses(both):
    learn, truth, shares, _, _ = both
    with learn.no_bar(), learn.no_logging():
        _, order = ClassificationInterpretation.from_learner(learn).top_losses(len(truth))
    wrong = [row for row in order.tolist() if shares[row].argmax() != truth[row]]
    assert list(results.worst(truth, shares, len(truth))) == wrong


def test_show_results_names_the_classes_that_the_results_do(both):
    learn, truth, shares, images, names = both
    with learn.no_bar(), learn.no_logging():
        learn.show_results(max_n=9, shuffle=False)
    fastais = [ax.get_title().split("\n") for ax in plt.gcf().axes if ax.get_title()]
    ours = [ax.get_title().rpartition("  ")[0] for ax in results.results(images, truth, shares, names, count=9)]
    assert len(fastais) == 9
    assert ours == [f"✓ {true}" if true == said else f"✗ {true} → {said}" for true, said in fastais]
