"""The slots of a model: what each is called, and which rows of which parameter it is."""

import pytest
import torch
from torch import nn
from torchvision.models import get_model

from agopconsole.backend.layers import attentions, choose_slots, weight_slots
from agopconsole.errors import RequestError


def test_a_choice_that_leaves_no_layer_is_an_error():
    with pytest.raises(RequestError, match="layers 'conv' names no layer of this model"):
        choose_slots(nn.Sequential(nn.Linear(2, 2)), "conv")


def test_a_name_that_is_none_of_the_models_is_an_error_that_lists_them():
    with pytest.raises(RequestError, match="there is no layer 'head'; choose from 0, 1"):
        choose_slots(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), "0,head")


def test_a_modules_name_stands_for_all_that_is_in_it():
    model = nn.Sequential(nn.Linear(4, 4), nn.MultiheadAttention(4, 2), nn.Sequential(nn.Linear(4, 3), nn.ReLU()))
    assert list(choose_slots(model, "1")) == ["1.q", "1.k", "1.v", "1.out_proj"]
    assert list(choose_slots(model, "0,1.k")) == ["0", "1.k"]
    assert list(choose_slots(model, "2,0")) == ["0", "2.0"]
    assert list(choose_slots(model, "all")) == ["0", "1.q", "1.k", "1.v", "1.out_proj", "2.0"]
    with pytest.raises(RequestError, match=r"there is no layer '1\.o'"):
        choose_slots(model, "1.o")


def test_attention_is_q_k_v_and_what_takes_the_heads_by_any_of_its_names():
    model = nn.Sequential(nn.Linear(4, 4), nn.MultiheadAttention(4, 2))
    assert list(choose_slots(model, "attention")) == ["1.q", "1.k", "1.v", "1.out_proj"]
    for name, out in (("swin_t", "proj"), ("maxvit_t", "merge")):
        with torch.device("meta"):
            model = get_model(name)
        found = attentions(weight_slots(model))
        assert len(found) == {"swin_t": 12, "maxvit_t": 22}[name]
        assert {attention.out.name.rpartition(".")[2] for attention in found.values()} == {out}
    with pytest.raises(RequestError, match="layers 'attention' names no layer"):
        choose_slots(nn.Sequential(nn.Linear(4, 4)), "attention")


def test_each_group_has_a_matrix_of_its_own():
    slot = weight_slots(nn.Sequential(nn.Conv2d(4, 6, 3, groups=2)))["0"]
    assert slot.keys == ["0[0]", "0[1]"]
    assert [tuple(block.shape) for block in slot.blocks] == [(3, 18), (3, 18)]
    assert (slot.patch_shape, slot.dim) == ((2, 3, 3), 18)


@pytest.mark.parametrize("widths", [{}, {"kdim": 6, "vdim": 10}])
def test_writing_q_k_and_v_changes_their_rows_and_no_others(widths):
    attention = nn.MultiheadAttention(4, 2, **widths)
    slots = weight_slots(nn.ModuleDict({"a": attention}))
    for number, part in enumerate("qkv"):
        slots[f"a.{part}"].write(torch.full((4, slots[f"a.{part}"].dim), float(number)), number + 10)
    state = nn.ModuleDict({"a": attention}).state_dict()
    for number, part in enumerate("qkv"):
        slot = slots[f"a.{part}"]
        assert (state[slot.weight_name][slot.rows] == number).all()
        assert (state[slot.bias_name][slot.bias_rows] == number + 10).all()


def test_swin_and_maxvit_have_q_k_and_v_with_the_heads_of_their_attention():
    swin = weight_slots(get_model("swin_t"))
    assert (swin["features.3.0.attn.qkv.q"].heads, swin["features.3.0.attn.qkv.q"].dim) == (6, 192)
    maxvit = weight_slots(get_model("maxvit_t"))
    attention = "blocks.1.layers.0.layers.window_attention.attn_layer.1"
    assert maxvit[f"{attention}.to_qkv.v"].weight.shape == (128, 128)
    assert maxvit[f"{attention}.to_qkv.v"].heads == 4


def test_modules_that_share_a_weight_are_one_slot():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    model[2].weight = model[0].weight
    assert list(weight_slots(model)) == ["0"]


def test_heads_are_runs_of_rows():
    slot = weight_slots(nn.ModuleDict({"a": nn.MultiheadAttention(6, 3)}))["a.q"]
    assert slot.head_rows((2, 0)) == [0, 1, 4, 5]
    assert slot.head_rows(None) is None
    with pytest.raises(ValueError, match="'a' has the heads 0 to 2, not \\[3\\]"):
        slot.head_rows((3,))


def test_a_weight_that_is_computed_from_others_cannot_be_written():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
    with pytest.raises(RequestError, match="layer '0': its weight is computed from other parameters"):
        weight_slots(nn.Sequential(layer))["0"].write(torch.zeros(3, 3))


def test_a_lazy_layer_is_named():
    with pytest.raises(RequestError, match="layer '0' has no shape yet"):
        weight_slots(nn.Sequential(nn.LazyLinear(3)))
