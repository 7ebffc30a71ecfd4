import pytest
from scipy import stats

from agopconsole.analysis.chi_square import p_value


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 10, 31])
def test_p_values_are_those_of_scipy(df):
    for x in (0.0, 1e-3, 0.5, 3.84, 12.0, 40.0, 300.0):
        assert p_value(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-9)
