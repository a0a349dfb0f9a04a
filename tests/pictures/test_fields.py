import numpy as np

from fastlab.pictures import fields

IMAGE = np.zeros((28, 28), np.uint8)


def test_frames_lie_around_their_pixels_and_equal_fields_share_one():
    ax = fields.theoretical(IMAGE, [(12, 12, 17, 17), (12, 12, 17, 17), (-6, -6, 34, 34)],
                            ["conv1", "relu1", "flatten"])
    framed = {patch.get_label(): patch for patch in ax.patches}
    small = framed["5×5  conv1, relu1"]
    assert (small.get_x(), small.get_y(), small.get_width(), small.get_height()) == (11.5, 11.5, 5, 5)
    large = framed["40×40  flatten"]
    assert (large.get_x(), large.get_width()) == (-6.5, 40)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["5×5  conv1, relu1", "40×40  flatten"]


def test_a_field_larger_than_the_image_is_seen_whole():
    ax = fields.theoretical(IMAGE, [(-6, -6, 34, 34)], ["flatten"])
    assert ax.get_xlim()[0] < -6.5 < 33.5 < ax.get_xlim()[1]
    bottom, top = ax.get_ylim()
    assert top < -6.5 < 33.5 < bottom


def test_effective_fields_stand_over_the_image_with_both_sizes():
    maps = {"conv1": np.eye(28), "linear": np.ones((28, 28))}
    axes = fields.effective(IMAGE, maps, {"conv1": (12, 12, 17, 17), "linear": (-6, -6, 34, 34)},
                            {"conv1": 4.2, "linear": 27.96}, n=64)
    assert [ax.get_title(loc="left") for ax in axes] == ["conv1\n5×5, effective 4.2", "linear\n40×40, effective 28.0"]
    np.testing.assert_array_equal(axes[0].images[1].get_array(), np.eye(28))
    cut = axes[1].patches[0]
    assert (cut.get_x(), cut.get_width()) == (-0.5, 28)
    assert "(n = 64 images)" in axes[0].figure.get_suptitle()
