"""The plan's arithmetic: what goes through at once stays within what is allowed, however many images there are."""

import pytest

from agopconsole.backend.memory_plan import DEFAULT_PLAN, Cost, parse_bytes, plan_within


@pytest.mark.parametrize("forward", [10, 1_000, 100_000])
@pytest.mark.parametrize("gradients", [0, 10, 1_000, 100_000])
def test_the_peak_is_within_the_memory_and_one_more_image_would_not_be(forward, gradients):
    cost = Cost(forward, gradients)
    for memory in (cost.forward + cost.gradients, 300_000, 5_000_000):
        if memory < cost.forward + cost.gradients:
            continue
        plan = plan_within(memory, cost)
        assert plan.images >= 1
        assert plan.outputs >= 1
        assert plan.peak(cost) <= memory
        few = min(plan.outputs, DEFAULT_PLAN.outputs)
        assert plan.images == 64 or (plan.images + 1) * (forward + few * gradients) > memory


def test_what_does_not_fit_says_what_it_takes():
    with pytest.raises(ValueError, match="takes about 1,500 bytes, more than memory=1,000"):
        plan_within(1_000, Cost(1_000, 500))


@pytest.mark.parametrize(
    ("text", "size"),
    [(12, 12), ("2 GiB", 2 << 30), ("500MB", 500_000_000), ("1.5 kib", 1536), ("7", 7), ("3k", 3_000)],
)
def test_memory_is_a_number_or_text_with_a_unit(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "much", "2 GiX", 0, -3, "0 MB", True, "3 iB"])
def test_anything_else_is_an_error(text):
    with pytest.raises(ValueError, match="memory is a number of bytes or text such as '2 GiB'"):
        parse_bytes(text)
