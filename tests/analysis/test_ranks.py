import numpy as np
import pytest
from scipy import stats

from agopconsole.analysis.ranks import rank_methods

BLOCKS = [{"a": 90.0, "b": 80.0, "c": 80.0}, {"a": 50.0, "b": 60.0, "c": 40.0}, {"a": 9.0, "b": 8.0, "c": 7.0}]


def test_ranks_and_their_test_are_scipys():
    ranks = rank_methods(BLOCKS, "higher")
    scores = -np.array([list(block.values()) for block in BLOCKS])
    assert ranks.mean_rank == pytest.approx(dict(zip("abc", stats.rankdata(scores, axis=1).mean(0), strict=True)))
    assert ranks.p_value == pytest.approx(stats.friedmanchisquare(*scores.T).pvalue)
    assert list(ranks.mean_rank) == ["a", "b", "c"]


@pytest.mark.parametrize(("blocks", "methods"), [(3, 3), (4, 4), (10, 5), (25, 8)])
def test_the_test_is_scipys_with_and_without_ties(blocks, methods):
    scores = np.random.default_rng(blocks).integers(0, 4, (blocks, methods)).astype(float)
    scores[0] = np.arange(methods)  # no ties here
    ranks = rank_methods([dict(enumerate(row)) for row in scores.tolist()], "lower")
    assert ranks.p_value == pytest.approx(stats.friedmanchisquare(*scores.T).pvalue, rel=1e-9)


def test_lower_may_be_better():
    assert list(rank_methods(BLOCKS, "lower").mean_rank) == ["c", "b", "a"]


def test_a_method_without_a_mean_ranks_last_and_one_not_run_everywhere_not_at_all():
    blocks = [{"a": 1.0, "b": None, "d": 5.0}, {"a": None, "b": 3.0}]
    assert rank_methods(blocks, "higher").mean_rank == {"a": 1.5, "b": 1.5}


@pytest.mark.parametrize(
    ("blocks", "better"),
    [([], "higher"), (BLOCKS[:1], "higher"), (BLOCKS, None), ([{"a": 1.0}, {"a": 2.0}], "higher")],
)
def test_there_is_nothing_to_rank(blocks, better):
    assert rank_methods(blocks, better) is None


def test_too_few_blocks_or_equal_means_prove_nothing():
    assert rank_methods(BLOCKS[:2], "higher").p_value is None
    assert rank_methods([{"a": 1.0, "b": 1.0, "c": 1.0}] * 3, "higher").p_value is None
