"""The figures at a tenth of their size; by name, for a machine that does nothing else:

python -m pytest tests/endurance/figures_at_a_tenth.py
"""

import pytest

from tests.endurance import addresses, amplification, bulk, crowds, guessing, jwks, leaving, turns
from tests.endurance.stage import Folder

SCALE = 10


@pytest.mark.parametrize(
    "measure",
    [
        pytest.param(bulk.measure, id="large bodies, a slow end"),
        pytest.param(crowds.measure_streams, id="silent streams"),
        pytest.param(crowds.measure_idle, id="idle connections"),
        pytest.param(amplification.measure, id="amplification"),
        pytest.param(leaving.measure, id="clients that leave"),
        pytest.param(turns.measure, id="tiny chunks"),
        pytest.param(guessing.measure, id="guessed keys"),
        pytest.param(addresses.measure, id="addresses"),
        pytest.param(jwks.measure, id="a key server that misbehaves"),
    ],
)
def test_figure_is_within_its_bound(tmp_path, measure):
    missed = [str(figure) for figure in measure(Folder(tmp_path), SCALE) if not figure.is_kept]

    assert missed == []
