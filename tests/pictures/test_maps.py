import numpy as np

from fastlab.pictures import maps

RNG = np.random.default_rng(0)


def test_every_step_has_its_strip_named_with_its_shape():
    found = {"conv1": RNG.normal(size=(16, 6, 6)), "relu1": np.abs(RNG.normal(size=(16, 3, 3))),
             "linear": RNG.normal(size=4)}
    axes = maps.through(np.zeros((6, 6), np.uint8), found, names=list("abcd"))
    assert [ax.get_ylabel() for ax in axes] == ["image\n6×6", "conv1\n16×6×6", "relu1\n16×3×3", "linear\n4"]
    np.testing.assert_allclose(axes[1].images[0].get_array()[:6, 7:13], found["conv1"][1])
    np.testing.assert_allclose(axes[3].images[0].get_array()[0], found["linear"])
    assert [tick.get_text() for tick in axes[3].get_xticklabels()] == list("abcd")


def test_names_stand_upright_where_they_do_not_fit():
    def turned(names):
        ax = maps.through(np.zeros((6, 6), np.uint8), {"linear": np.ones(len(names))}, names=names)[-1]
        return {tick.get_rotation() for tick in ax.get_xticklabels()}
    assert turned([f"{k}" for k in range(12)]) == turned(["incorrect_mask", "with_mask", "without_mask"]) == {0}
    assert turned([f"automobile_{k:02d}" for k in range(12)]) == {90}


def test_zero_is_white_before_and_after_relu():
    signed, positive = (maps.through(np.zeros((4, 4), np.uint8), {"a": values})[1].images[0]
                        for values in (np.array([[[-1.0, 0, 3]]]), np.array([[[0.0, 2]]])))
    assert signed.get_clim() == (-3, 3)
    assert positive.get_clim() == (0, 2)
    for image in (signed, positive):
        assert min(image.cmap(image.norm(0))[:3]) > 0.95


def test_many_maps_are_cut_and_it_is_said():
    axes = maps.through(np.zeros((4, 4), np.uint8), {"conv": np.ones((96, 2, 2))}, most=32)
    assert axes[1].get_ylabel() == "conv\n96×2×2\n32 shown"
    assert np.isfinite(axes[1].images[0].get_array()).sum() == 32 * 4


def test_many_units_are_laid_in_rows_and_none_is_lost():
    values = RNG.normal(size=1568)
    part = maps.strip(values)
    assert part.shape == (13, 128)
    np.testing.assert_allclose(part.ravel()[:1568], values)
    assert np.isnan(part.ravel()[1568:]).all()
