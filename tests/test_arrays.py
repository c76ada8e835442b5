from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from isocost.arrays import Bools, Floats, Ints


@pytest.mark.parametrize(("kind", "element"), [(Floats, np.float64), (Ints, np.int64), (Bools, np.bool_)])
def test_a_type_names_what_its_arrays_hold(kind: object, element: type) -> None:
    _, holds = get_args(kind)
    assert get_args(holds) == (element,)
