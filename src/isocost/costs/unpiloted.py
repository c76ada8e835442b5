"""The cost of a draw before the pilot that measures its length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from isocost.config import Study
from isocost.costs.expected import DrawCost, draw_costs, prompts_are_counted
from isocost.records import ModelCard

UNTIL_PILOTED = "until piloted, max_tokens"  # where lengths come from before the pilot


def awaits_pilot(study: Study, cards: Mapping[str, ModelCard]) -> bool:
    """Return True if the study has a pilot that is to measure lengths on which the cost of a draw depends.

    Args:
        study: The study.
        cards: The models that arms draw from.
    """

    def is_unknown(card: ModelCard) -> bool:
        spec = study.models[card.name]
        return spec.tokens_per_sample is None or (spec.prompt_tokens is None and prompts_are_counted(card))

    return study.pilot is not None and any(map(is_unknown, cards.values()))


def unpiloted_costs(
    study: Study, cards: Mapping[str, ModelCard], longest_prompt: Mapping[str, int], shares: Mapping[str, int | None] | None = None
) -> dict[str, DrawCost]:
    """Return the largest cost of a draw of each model that its pilot can find: lengths that are not declared are at their maximum.

    The arguments are those of `draw_costs`.
    """
    longest = {name: (float(longest_prompt[name]), float(study.sampling_of(name).max_tokens)) for name in cards}
    found = draw_costs(study, cards, longest, longest_prompt, shares)
    return {
        # Without a real pilot, every length that `draw_costs` takes for piloted is a maximum.
        name: replace(each, tokens_are=UNTIL_PILOTED) if each.tokens_are == "piloted" else each
        for name, each in found.items()
    }


def least_costs(
    study: Study, cards: Mapping[str, ModelCard], longest_prompt: Mapping[str, int], shares: Mapping[str, int | None] | None = None
) -> dict[str, DrawCost]:
    """Return the smallest cost of a draw of each model that its pilot can find: one token, where lengths are not declared.

    The arguments are those of `draw_costs`.
    """
    return draw_costs(study, cards, dict.fromkeys(cards, (0.0, 1.0)), longest_prompt, shares)
