"""Floating-point operations: 2P per token, and those of attention."""

from __future__ import annotations


def flops_per_token(parameters: int) -> float:
    """Return the floating-point operations per generated token: 2P.

    Each weight takes part in one multiplication and one addition per token, so P weights make 2P operations (Kaplan et al. 2020,
    arXiv 2001.08361, section 2.1; the paper's cost of inference, arXiv 2408.16737, section 3).

    As in the paper, two parts are left out unless a study asks for them (`costs.attention`, `costs.prompt_tokens`):

    - Attention scores and values, see `writing_attention`. Relative to 2P with P of about 12 * layers * d^2 they are context / (6 d): 2%
      at d = 4608 (a 27B model) and 600 tokens, 10% at d = 1024, 40% in the embedded models (d = 96 to 160 at some 250 tokens).
    - Reading the prompt, 2P per prompt token. If samples share the prefill it is read once per problem: 1/k of it per sample.

    Eq. 1 uses ratios of costs only, so parts that both models leave out in the same proportion cancel. A plan shows the size of the parts.

    Args:
        parameters: P, the parameters that every token passes through: the total without an untied input-embedding table.
    """
    return 2.0 * parameters


def writing_attention(width: int, prompt_tokens: float, generated_tokens: float) -> float:
    """Return the operations of attention for g tokens generated after a prompt of p tokens: 4 L d (g p + g (g + 1) / 2).

    The scores of one token against a context of c tokens take 2 d c operations per layer, and the weighted sum of values 2 d c more. The
    j-th generated token has a context of p + j, itself included. The sum over j = 1 .. g is the formula.

    Args:
        width: L d, layers * attention width (heads * head size), summed over the layers that have attention. For layers that read only
            a window of the context this is an upper bound.
        prompt_tokens: p.
        generated_tokens: g.
    """
    return 4.0 * width * generated_tokens * (prompt_tokens + (generated_tokens + 1) / 2)


def reading_attention(width: int, prompt_tokens: float) -> float:
    """Return the operations of attention for a prompt of p tokens, each attending to itself and those before: 4 L d p (p + 1) / 2."""
    return 2.0 * width * prompt_tokens * (prompt_tokens + 1)
