import pytest
from scipy import stats

from agopconsole.analysis.student_t import critical_value, p_value


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_critical_values_are_those_of_scipy(level):
    for df in range(1, 201):
        assert critical_value(df, level) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=1e-9)


def test_the_textbook_values():
    assert critical_value(1) == pytest.approx(12.7062, abs=1e-4)
    assert critical_value(2) == pytest.approx(4.3027, abs=1e-4)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 9, 50])
def test_p_values_are_those_of_scipy(df):
    for t in (0.0, 0.3, -1.0, 2.5, -7.0, 40.0):
        assert p_value(t, df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-6, abs=1e-14)
