from collections.abc import Iterator

import pytest

from isocost.graders.code.sandbox.bubblewrap import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A warm sandbox for all programs of a test file."""
    made = Sandbox(memory=1 << 30)
    yield made
    made.close()
