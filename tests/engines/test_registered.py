"""What isocost knows of its engines without importing them."""

import subprocess
import sys

import pytest

from isocost.engines import ENGINES, is_heavy, trains


@pytest.mark.parametrize("name", ENGINES)
def test_the_listed_keys_are_those_of_the_options(name: str) -> None:
    given = {"model": "m", **({"table": "t.parquet"} if name == "replay" else {})}
    options = ENGINES[name].read_options(given)
    assert ENGINES[name].keys == tuple(type(options).model_fields)


def test_of_a_users_own_engine_nothing_is_known() -> None:
    assert not is_heavy("parts:open_engine")
    assert not trains("parts:open_engine")
    assert [name for name in ENGINES if trains(name)] == ["transformers"]


def test_asking_what_the_environment_lacks_imports_no_model_library() -> None:
    program = (
        "import sys; from isocost.engines import ENGINES\n"
        "for name in ('transformers', 'vllm', 'replay'): ENGINES[name].check_ready({'model': 'm'})\n"
        "assert 'torch' not in sys.modules and 'polars' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
