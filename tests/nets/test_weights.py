import pytest
import torch
from safetensors.torch import save, save_file
from torch import nn
from torchvision import models

from fastlab.errors import ModelFileError, OptionError, StorageError
from fastlab.nets import body_and_head, build, load_body
from fastlab.nets.weights import head_of


@pytest.fixture
def stored(tmp_path):
    "A trained LeNet of 12 classes as a state dict on disk, and the network itself."
    torch.manual_seed(1)
    net = build("lenet", 12)
    net(torch.randn(8, 1, 28, 28))
    save_file(net.state_dict(), tmp_path / "lenet.safetensors")
    return net, tmp_path / "lenet.safetensors"


def test_the_body_is_loaded_and_the_head_stays(stored):
    source, path = stored
    net = build("lenet", 5)
    head = net.linear.weight.clone()
    loaded = load_body(net, path)
    assert loaded == [name for name in source.state_dict() if not name.startswith("linear")]
    assert all(torch.equal(net.state_dict()[name], source.state_dict()[name]) for name in loaded)
    assert torch.equal(net.linear.weight, head)
    x = torch.randn(2, 1, 28, 28)
    assert torch.equal(net.eval()[:-1](x), source.eval()[:-1](x))


def test_the_head_stays_even_where_its_shape_agrees(stored):
    net = build("lenet", 12)
    head = net.linear.weight.clone()
    load_body(net, stored[1])
    assert torch.equal(net.linear.weight, head)


def test_a_mismatch_names_every_tensor_and_leaves_the_network_alone(stored):
    net = build("lenet", 5, channels=3, width=0.5)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(ModelFileError) as caught:
        load_body(net, stored[1])
    for part in ("conv1.weight is (16, 1, 5, 5) and the network's is (8, 3, 5, 5)", "norm2.bias is (32,)"):
        assert part in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_missing_and_unknown_tensors_are_named(stored):
    with pytest.raises(ModelFileError, match=r"norm1.weight \(16,\) is not in the network"):
        load_body(build("lenet", 5, norm="none"), stored[1])
    plain = build("lenet", 5, norm="none")
    save_file(plain.state_dict(), stored[1])
    with pytest.raises(ModelFileError, match=r"norm1.weight \(16,\) is missing"):
        load_body(build("lenet", 5), stored[1])


def test_values_that_are_not_finite_are_refused(stored):
    state = stored[0].state_dict()
    state["conv1.weight"][0, 0, 0, 0] = float("nan")
    save_file(state, stored[1])
    with pytest.raises(ModelFileError, match="weight holds values that are not finite"):
        load_body(build("lenet", 5), stored[1])


@pytest.mark.parametrize("content", [b"", b"not a network", None])
def test_cut_and_foreign_files_are_refused(stored, content):
    path = stored[1]
    path.write_bytes(path.read_bytes()[:-7] if content is None else content)
    with pytest.raises(ModelFileError, match="not a whole safetensors file"):
        load_body(build("lenet", 5), path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match="nothing"):
        load_body(build("lenet", 5), tmp_path / "nothing.safetensors")


def test_torchvisions_weights_fit_torchvisions_network(tmp_path):
    "As the engineer has them on disk: 1000 classes; older files lack BatchNorm's counters."
    source = models.resnet18(weights=None)
    state = {name: tensor for name, tensor in source.state_dict().items() if "num_batches" not in name}
    (tmp_path / "r.safetensors").write_bytes(save(state))
    net = build("torchvision:resnet18", 4, 3, 32)
    loaded = load_body(net, tmp_path / "r.safetensors")
    assert loaded == [name for name in state if not name.startswith("fc.")]
    assert torch.equal(net.layer4[1].conv2.weight, source.layer4[1].conv2.weight)


def test_layer_groups_hold_every_parameter_once():
    for net in (build("lenet", 5), build("torchvision:squeezenet1_1", 5, 3, 64)):
        body, head = body_and_head(net)
        assert sorted(map(id, body + head)) == sorted(map(id, net.parameters()))
        assert [parameter.shape[0] for parameter in head] == [5, 5]
    assert head_of(build("torchvision:resnet18", 5, 3, 32))[0] == "fc"


def test_a_network_without_a_head_says_so():
    with pytest.raises(OptionError, match="no head"):
        body_and_head(nn.Sequential(nn.Flatten()))
