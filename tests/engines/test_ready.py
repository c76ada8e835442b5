"""What an engine needs of the environment is found before anything is sent, and without a library for models."""

import subprocess
import sys

import pytest

from isocost.engines import check_ready
from isocost.errors import ModelError, StudyError


def test_asking_what_the_environment_lacks_imports_no_model_library() -> None:
    program = (
        "import sys; from isocost.engines import ENGINES, check_ready\n"
        "for name in ('transformers', 'vllm', 'replay'): check_ready(name, {'model': 'm'})\n"
        "assert 'torch' not in sys.modules and 'polars' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_key_that_is_named_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    far = {"model": "m", "base_url": "https://models.example/v1"}
    with pytest.raises(StudyError, match=r"^api_key_env: \$OTHER is not set\n  set that environment variable"):
        check_ready("openai", {**far, "api_key_env": "OTHER"})
    with pytest.raises(ModelError, match=r"no key in \$OPENAI_API_KEY"):
        check_ready("openai", {"model": "m"})
    check_ready("openai", far)
    check_ready("openai", {"model": "m", "base_url": "http://localhost:1/v1", "api_key_env": "OTHER"})
    check_ready("parts:open_engine", {})
