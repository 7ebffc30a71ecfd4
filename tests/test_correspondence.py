"""Which layers of two networks correspond, from what is known of them alone."""

from agopconsole.correspondence import Layer, correspond

FIRST, SECOND = Layer("convolution", (3, 3, 3)), Layer("convolution", (8, 3, 3))


def test_layers_of_a_kind_are_paired_in_order_whatever_their_names_and_what_stands_between():
    ours = {"0": FIRST, "4": SECOND, "head": Layer("linear layer", (8,))}
    theirs = {"head": Layer("linear layer", (8,)), "first": FIRST, "4": SECOND}
    assert correspond(ours, theirs).names == {"0": "first", "4": "4", "head": "head"}


def test_a_name_that_both_have_does_not_pair_layers_of_other_places():
    ours = {"a": FIRST, "b": SECOND, "c": SECOND}
    theirs = {"b": FIRST, "c": SECOND, "d": SECOND}
    assert correspond(ours, theirs).names == {"a": "b", "b": "c", "c": "d"}


def test_a_layer_without_a_counterpart_has_its_reason():
    ours = {
        "0": FIRST,
        "1": FIRST,
        "2": Layer("convolution", (4, 3, 3), 2),
        "3": SECOND,
        "fc": Layer("linear layer", (8,)),
    }
    theirs = {"a": FIRST, "b": SECOND, "c": Layer("convolution", (4, 3, 3), 4)}
    found = correspond(ours, theirs)
    assert found.names == {"0": "a"}
    assert found.reasons == {
        "1": "a filter of it sees 3 x 3 x 3, one of the source's convolution 2, 'b', 8 x 3 x 3",
        "2": (
            "a filter of it sees 4 x 3 x 3 in each of 2 groups, one of the source's convolution 3, 'c', "
            "4 x 3 x 3 in each of 4 groups"
        ),
        "3": "it is convolution 4, and the source has 3",
        "fc": "it is linear layer 1, and the source has 0",
    }
