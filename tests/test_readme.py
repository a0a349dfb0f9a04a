"""What the README shows is run."""
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.skipif(not README.exists(), reason="the README lies in the checkout only")
def test_the_notebook_block_runs_and_shows_pictures(split_shapes, monkeypatch, tmp_path):
    block = re.search(r"```python\n(.*?)```", README.read_text("utf-8"), re.S).group(1)
    assert len(block.strip().splitlines()) == 6
    assert '"data/strokes"' in block
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(block.replace("data/strokes", str(split_shapes)), names)
    assert len(plt.get_fignums()) >= 2
    assert len(names["learn"].history) == 5
    plt.close("all")


def test_the_packaged_network_is_the_one_in_models():
    import fastlab
    packaged = Path(fastlab.__file__).parent / "training" / "lenet-strokes.safetensors"
    committed = README.parent / "models" / "lenet-strokes.safetensors"
    if committed.exists():
        assert packaged.read_bytes() == committed.read_bytes()
    model = fastlab.load_model(packaged)
    assert "".join(model.names) == "博学笃志切问近思自由无用"
    assert sum(parameter.numel() for parameter in model.net.parameters()) == 32_172


def test_the_packaged_network_reads_hands_that_training_never_saw():
    import numpy as np

    import fastlab
    from fastlab.strokes.dataset import draw_split
    packaged = Path(fastlab.__file__).parent / "training" / "lenet-strokes.safetensors"
    drawn = draw_split("another", 20, seed=5)
    said = fastlab.load_model(packaged).probabilities(drawn.reshape(-1, 28, 28, 1)).argmax(1)
    assert (said == np.repeat(np.arange(12), 20)).mean() > 0.97
