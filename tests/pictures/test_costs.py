
from fastlab.pictures import costs


def test_amounts_are_short():
    assert [costs.amount(value) for value in (0, 950, 12_345, 4_560_000, 1.2e9)] == ["0", "950", "12.3 k", "4.56 M",
                                                                                     "1.2 G"]


def test_bars_hold_the_figures_and_name_large_shares():
    axes = costs.layers(["conv1", "conv2", "linear"], {"multiplications": [25, 73, 2], "time (ms)": [1, 2, 1]},
                        {"time (ms)": ([0.9, 1.5, 1], [1.2, 3, 1])})
    assert [bar.get_width() for bar in axes[0].patches] == [25, 73, 2]
    assert [text.get_text().strip() for text in axes[0].texts] == ["25 %", "73 %"]
    assert [segment[:, 0].tolist() for segment in axes[1].collections[0].get_segments()] == [[0.9, 1.2], [1.5, 3],
                                                                                           [1, 1]]
    assert [ax.get_xlabel() for ax in axes] == ["multiplications\ntotal 100",
                                                "time (ms)\ntotal 4; lines: quartiles"]
    assert [tick.get_text() for tick in axes[0].get_yticklabels()] == ["conv1", "conv2", "linear"]


def test_a_network_without_cost_has_bars_without_length():
    ax, = costs.layers(["flatten"], {"multiplications": [0]})
    assert [bar.get_width() for bar in ax.patches] == [0]
    assert not ax.texts


def test_a_layer_without_parameters_of_its_own_has_no_ratio():
    ax = costs.prior(["linear", "linear#2"], [20, 0], [20, 20], [20, 20])
    assert [text.get_text() for text in ax.texts] == ["÷ 1", "–"]


def test_the_prior_is_the_ratio_of_dense_to_shared():
    ax = costs.prior(["conv1", "linear"], [416, 18_828], [326_144, 18_828], [9_847_040, 18_828])
    shared, unshared, dense = ax.lines
    assert list(shared.get_xdata()) == [416, 18_828]
    assert list(unshared.get_xdata()) == [326_144, 18_828]
    assert list(dense.get_xdata()) == [9_847_040, 18_828]
    assert [text.get_text() for text in ax.texts] == ["÷ 23,671", "÷ 1"]
    assert ax.get_xscale() == "log"
    assert ax.get_title(loc="left") == "Parameters that sparse and shared connections save"
