from types import SimpleNamespace

import pytest

from agopconsole.backend.source_features import agop_outputs
from agopconsole.spec import RunSpec


@pytest.mark.parametrize(
    ("asked", "head", "taken"),
    [("auto", 10, "all"), ("auto", 32, "all"), ("auto", 1000, 32), ("all", 1000, "all"), ("7", 10, 7)],
)
def test_a_large_head_is_probed_unless_the_run_says_otherwise(asked, head, taken):
    spec = RunSpec.parse({"init": "agop", "agop_outputs": asked})
    assert agop_outputs(spec, SimpleNamespace(outputs=head)) == taken
