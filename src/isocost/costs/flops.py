"""Cost matching by compute: 2P floating-point operations a token, and how many samples cost the same."""

from __future__ import annotations

from fractions import Fraction

from isocost.errors import BudgetError


def flops_per_token(parameters: int) -> float:
    """Floating-point operations to generate one token: 2P.

    A weight takes part in one multiplication and one addition for each token, so P weights make 2P operations (Kaplan et al. 2020,
    arXiv 2001.08361, section 2.1; the paper's cost of inference, arXiv 2408.16737, section 3).

    Two things are left out, as in the paper, unless a study asks for them (`costs.attention`, `costs.prompt_tokens`):

    - Attention scores and values, see `writing_attention`. Beside 2P with P about 12 * layers * d^2 it is context / (6 d): 2% at
      d = 4608 (a 27B model) and 600 tokens, 10% at d = 1024, 40% in the embedded models (d = 96 to 160 at some 250 tokens).
    - Reading the prompt, 2P a prompt token: once a problem where samples share the prefill, so 1/k of it a sample at k samples.

    Eq. 1 uses ratios of costs only, and what both models leave out in the same proportion drops out of a ratio. A plan says how much
    they are.

    Args:
        parameters: P, which every token passes through: the total less an untied input-embedding table.
    """
    return 2.0 * parameters


def writing_attention(width: int, prompt_tokens: float, generated_tokens: float) -> float:
    """Operations of attention while g tokens are generated after a prompt of p tokens: 4 L d (g p + g (g + 1) / 2).

    The scores of one token against a context of c tokens take 2 d c operations a layer, and the weighted sum of values 2 d c more. The
    j-th generated token has a context of p + j, itself included; the sum over j = 1 .. g is the formula.

    Args:
        width: L d, layers * attention width (heads * size of a head), summed over the layers that have attention. Where a layer reads
            only a window of the context this is an upper bound.
        prompt_tokens: p.
        generated_tokens: g.
    """
    return 4.0 * width * generated_tokens * (prompt_tokens + (generated_tokens + 1) / 2)


def reading_attention(width: int, prompt_tokens: float) -> float:
    """Operations of attention while a prompt of p tokens is read, each token looking at itself and those before: 4 L d p (p + 1) / 2."""
    return 2.0 * width * prompt_tokens * (prompt_tokens + 1)


def matched_samples(strong_cost: float | Fraction, weak_cost: float | Fraction, samples: float | Fraction = 1) -> Fraction:
    """Samples of the weak model that cost as much as `samples` of the strong one (arXiv 2408.16737, Eq. 1).

    S_weak = (c_strong / c_weak) * S_strong, where c is the cost of a token (2P, or a price) and both are taken to write equally many
    tokens a sample. Exact for the decimals given: $10.5 against $0.3 is 35 to 1.

    Raises:
        BudgetError: a cost is not positive, so that no number of samples matches.
    """
    if strong_cost <= 0 or weak_cost <= 0:
        raise BudgetError(f"costs of a token must be above 0 to be matched, not {strong_cost} and {weak_cost}; give params or a price")
    return _exact(strong_cost) / _exact(weak_cost) * _exact(samples)


def _exact(number: float | Fraction) -> Fraction:
    # By way of its text: 0.3 is meant as 3/10, not as the nearest double.
    return number if isinstance(number, Fraction) else Fraction(str(number))
