"""A mark for tests that run programs in bubblewrap, which a machine may lack or not permit."""

import pytest

from isocost.errors import InputError
from isocost.graders.code.sandbox.bubblewrap import check_sandbox


def _why_not() -> str:
    try:
        check_sandbox()
    except InputError as error:
        return str(error).partition("\n")[0]
    return ""


needs_sandbox = pytest.mark.skipif(bool(_why_not()), reason=_why_not())
