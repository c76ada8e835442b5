"""The expected cost of a draw of each model, before it is bought."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from isocost.config import Study
from isocost.costs.draws import cost_of, max_cost_of, prices_at, reading_flops, writing_flops
from isocost.errors import BudgetError
from isocost.records import Cost, ModelCard, Unit, prompt_readings


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawCost:
    """The expected cost of a draw of a model, and its parts.

    If a unit shares the prompt, one reading serves the draws of a problem that one request asks for, at most r. Then k draws of one problem
    cost `ceil(k / r) * prompt + k * draw`. Otherwise they cost `k * (prompt + draw)`. A pilot reads its prompts itself, and a policy that
    observes outcomes reads them again in each of its rounds. Only planned costs are counted like this. The realised cost of a draw follows
    from what its engine shared (`costs.draws.cost_of`), and a budget of basis `realised` reserves `worst` for every draw.

    Attributes:
        prompt: Cost of one reading of the prompt; 0 in a unit that does not count it.
        draw: Cost of the generated tokens.
        worst: Cost of one draw alone with max_tokens, after the longest prompt.
        shared: The units in which the prompt is shared.
        per_request: r, the most draws of a problem in a request; None if all draws that are asked for together share one reading.
        tokens: Expected tokens per draw.
        tokens_are: The source of `tokens`: declared, piloted or equal.
        prompt_tokens: Expected tokens of a prompt; None if unknown, and then no cost above depends on it.
        to_know: By unit whose cost is unknown, the key to add to the study.
    """

    prompt: Cost
    draw: Cost
    worst: Cost
    shared: frozenset[Unit]
    tokens: float
    tokens_are: str
    prompt_tokens: float | None
    per_request: int | None = None
    to_know: Mapping[str, str] = field(default_factory=dict)

    @property
    def expected(self) -> Cost:
        """The cost of one draw alone, with its prompt."""
        return self.prompt + self.draw

    def readings(self, draws: float) -> float:
        """Return the readings of a prompt, in units that share it, for a number of draws per problem that are asked for together.

        For k draws, k no whole number, a share k - floor(k) of the problems gets one draw more than the others: the mean over problems.
        """
        whole = math.floor(draws)
        low, high = (prompt_readings(k, self.per_request) for k in (whole, whole + 1))
        return low + (draws - whole) * (high - low)

    def of(self, *, draws: float, readings: float) -> Cost:
        """Return the expected cost of `draws` draws whose prompts are read `readings` times where they are shared."""

        def amount(prompt: float | None, draw: float | None, shared: bool) -> float | None:
            if prompt is None or draw is None:
                return None
            return prompt * (readings if shared else draws) + draw * draws

        return Cost(
            flops=amount(self.prompt.flops, self.draw.flops, "flops" in self.shared),
            usd=amount(self.prompt.usd, self.draw.usd, "usd" in self.shared),
            seconds=amount(self.prompt.seconds, self.draw.seconds, shared=False),
        )


def draw_costs(
    study: Study,
    cards: Mapping[str, ModelCard],
    piloted: Mapping[str, tuple[float, float]],
    longest_prompt: Mapping[str, int],
    shares: Mapping[str, int | None] | None = None,
) -> dict[str, DrawCost]:
    """Return the expected cost of a draw of each model.

    The expected length is the declared one (`tokens_per_sample`), else the pilot's mean. Without either it is equal for all models. It is
    then taken as max_tokens, the only certain length, and only the ratios of costs are meaningful.

    Args:
        study: The study.
        cards: The models that arms draw from.
        piloted: Mean prompt and generated tokens of a draw, by piloted model.
        longest_prompt: By model, an upper bound on the tokens of any prompt.
        shares: By model, the most solutions of a request, for which its engine reads the prompt once: 1 if it reads the prompt of each,
            None without a bound. For a model without an entry, dollars are planned as unshared, and FLOPs as the study says.

    Raises:
        BudgetError: lengths are declared for some models only, or a cost depends on an unknown prompt length.
    """
    # A declared length beside an assumed one would make the ratio of costs a mixture of a measurement and a guess.
    undeclared = [name for name in cards if study.models[name].tokens_per_sample is None and name not in piloted]
    if undeclared and len(undeclared) < len(cards):
        raise BudgetError(
            f"models.{undeclared[0]}.tokens_per_sample is missing: other models declare theirs\n"
            "  declare it for all models, for none, or add a pilot"
        )
    shares = shares or {}
    return {
        name: replace(
            _draw_cost(study, card, piloted.get(name), longest_prompt[name]),
            shared=_shared(card, shares[name] != 1 if name in shares else None),
            per_request=shares.get(name),
        )
        for name, card in cards.items()
    }


def _draw_cost(study: Study, card: ModelCard, piloted: tuple[float, float] | None, longest_prompt: int) -> DrawCost:
    spec, longest = study.models[card.name], study.sampling_of(card.name).max_tokens
    if spec.tokens_per_sample is not None:
        tokens, source = spec.tokens_per_sample, "declared"
    elif piloted is not None:
        tokens, source = piloted[1], "piloted"
    else:
        tokens, source = float(longest), "equal, at max_tokens"
    prompt = spec.prompt_tokens
    if prompt is None and piloted is not None:
        prompt = piloted[0]
    if prompt is None and (why := _why_prompts_count(card)):
        raise BudgetError(f"models.{card.name}.prompt_tokens is missing: {why}\n  give the mean length of a prompt, or add a pilot")
    read = prompt or 0.0  # an unknown length has no effect here: the check above found no cost that depends on it
    reading, writing = _dollars(card, read, tokens)
    rate = card.tokens_per_second
    return DrawCost(
        prompt=Cost(flops=reading_flops(card, read), usd=reading, seconds=None if rate is None else 0.0),
        draw=Cost(
            flops=writing_flops(card, read, tokens),
            usd=writing,
            seconds=None if rate is None else tokens / rate,
        ),
        # The longest prompt, not the mean: a reservation must hold for every problem.
        worst=max_cost_of(card, prompt_tokens=0 if prompt is None else longest_prompt, generated_tokens=longest),
        shared=frozenset(),
        tokens=tokens,
        tokens_are=source,
        prompt_tokens=prompt,
        to_know=card.to_know,
    )


def _dollars(card: ModelCard, prompt_tokens: float, tokens: float) -> tuple[float | None, float | None]:
    """Return the dollars of reading a prompt, with what a request costs besides, and of writing a draw: draws share the first alone."""
    if card.usd_per_million is None:
        return None, None
    # Each part as `cost_of` rounds it: the costs are part of the terms under which the rounds of a run are found again.
    flat = replace(card, usd_per_million=prices_at(card, prompt_tokens), usd_per_request=0.0, price_tiers=())
    reading = cost_of(flat, prompt_tokens=prompt_tokens, generated_tokens=0).usd
    writing = cost_of(flat, prompt_tokens=0, generated_tokens=tokens).usd
    return None if reading is None else reading + card.usd_per_request, writing


def _shared(card: ModelCard, shares: bool | None) -> frozenset[Unit]:
    units: list[Unit] = []
    # FLOPs count the paper's way unless the engine is known not to share. Dollars are promised only if it is known to share.
    if card.prompt_reading == "shared" and shares is not False:
        units.append("flops")
    if shares:
        units.append("usd")
    return frozenset(units)


def prompts_are_counted(card: ModelCard) -> bool:
    """Return True if the cost of a draw depends on the length of its prompt."""
    return bool(_why_prompts_count(card))


def _why_prompts_count(card: ModelCard) -> str:
    """Return why a model's cost depends on the length of its prompts, or "" if it does not."""
    if card.usd_per_million and any(card.usd_per_million.get(key) for key in ("input", "input_cache_read", "input_cache_write")):
        return "its input tokens have a price"
    if card.price_tiers:
        return "its price depends on the length of the prompt"
    if card.flops_per_token is None:
        return ""
    if card.prompt_reading != "none":
        return f"costs.prompt_tokens: {card.prompt_reading} counts them"
    return "costs.attention counts the context" if card.counts_attention else ""
