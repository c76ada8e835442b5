import torch

from isocost.engines.transformers.decoding import draw
from isocost.records import SamplingParams

LOGITS = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()


def shares(params: SamplingParams, n: int = 4000) -> list[float]:
    """How often each token comes, over evenly spaced uniform numbers."""
    tokens = draw(LOGITS.expand(n, 4), params, (torch.arange(n, dtype=torch.float64) + 0.5) / n)
    return [round(float((tokens == token).double().mean()), 3) for token in range(4)]


def test_draws_with_the_models_probabilities() -> None:
    assert shares(SamplingParams(temperature=1)) == [0.5, 0.3, 0.15, 0.05]


def test_temperature_sharpens() -> None:
    squares = [0.25, 0.09, 0.0225, 0.0025]
    assert shares(SamplingParams(temperature=0.5), 36_500) == [round(square / sum(squares), 3) for square in squares]


def test_top_k_keeps_the_likeliest() -> None:
    assert shares(SamplingParams(temperature=1, top_k=2)) == [0.625, 0.375, 0, 0]


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    assert shares(SamplingParams(temperature=1, top_p=0.6)) == [0.625, 0.375, 0, 0]
    assert shares(SamplingParams(temperature=1, top_p=0.4)) == [1, 0, 0, 0]


def test_zero_temperature_takes_the_likeliest() -> None:
    assert shares(SamplingParams(temperature=0)) == [1, 0, 0, 0]


def test_a_token_of_no_probability_is_never_drawn() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf]]).expand(2, 3)
    edges = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    assert draw(logits, SamplingParams(temperature=1), edges).tolist() == [1, 1]
