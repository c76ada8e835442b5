"""What a draw of each model is expected to cost, before it is bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isocost.config import Study
from isocost.costs.draws import cost_of, most_of, reading_flops, writing_flops
from isocost.errors import BudgetError
from isocost.records import Cost, ModelCard, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawCost:
    """What a draw of a model costs, with what it is made of.

    In a unit where the prompt is shared, one reading of it serves all draws of a problem that are asked for together, so k draws of one
    problem cost `prompt + k * draw`; else `k * (prompt + draw)`. `count` draws over `n` problems, one at least for each, cost
    `n * prompt + count * draw` or `count * (prompt + draw)`. A pilot reads its prompts itself; that they are read again when more is
    asked of the same problem is not planned for. Planned costs alone count like this: what a draw really cost follows from what its
    engine shared (`costs.draws.cost_of`), and a budget of basis `realised` keeps `worst` for every draw.

    Attributes:
        prompt: One reading of the prompt; 0 in a unit that does not count it.
        draw: The tokens generated.
        worst: One draw alone at max_tokens, after the longest prompt.
        shared: The units in which the prompt is shared.
        tokens: Expected tokens of a draw.
        tokens_are: Where that number comes from.
        prompt_tokens: Expected tokens of a prompt; None where not known, and then nothing above depends on it.
        to_know: By unit that is not known, what to add to the study so that it is.
    """

    prompt: Cost
    draw: Cost
    worst: Cost
    shared: frozenset[Unit]
    tokens: float
    tokens_are: str
    prompt_tokens: float | None
    to_know: Mapping[str, str] = field(default_factory=dict)

    @property
    def expected(self) -> Cost:
        """One draw alone, with its prompt."""
        return self.prompt + self.draw

    def of(self, *, draws: float, readings: float) -> Cost:
        """The expected cost of so many draws of `readings` different problems."""

        def amount(prompt: float | None, draw: float | None, shared: bool) -> float | None:
            return None if prompt is None or draw is None else prompt * (readings if shared else draws) + draw * draws

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
    shares: Mapping[str, bool] | None = None,
) -> dict[str, DrawCost]:
    """The cost of a draw of each model.

    The expected length is declared (`tokens_per_sample`), else the pilot's mean, else equal for all models; then it is taken at
    max_tokens, the only length that is sure, and only ratios mean anything.

    Args:
        study: The study.
        cards: The models that arms draw from.
        piloted: Mean prompt and generated tokens of a draw, of the models that were piloted.
        longest_prompt: By model, a bound on the tokens of any prompt.
        shares: By model, whether its engine's solutions of one request share a reading of the prompt. Of a model that is not named,
            dollars are planned as if they did not, and FLOPs as the study says.

    Raises:
        BudgetError: lengths are declared for some models only, or a cost needs the length of the prompt.
    """
    undeclared = [name for name in cards if study.models[name].tokens_per_sample is None and name not in piloted]
    if undeclared and len(undeclared) < len(cards):
        raise BudgetError(
            f"models.{undeclared[0]}.tokens_per_sample is missing: other models declare theirs\n"
            "  declare it for all models, for none, or add a pilot"
        )
    shares = shares or {}
    return {name: _draw_cost(study, card, piloted.get(name), longest_prompt[name], shares.get(name)) for name, card in cards.items()}


def _draw_cost(study: Study, card: ModelCard, piloted: tuple[float, float] | None, longest_prompt: int, shares: bool | None) -> DrawCost:
    spec, longest = study.models[card.name], study.sampling_of(card.name).max_tokens
    if spec.tokens_per_sample is not None:
        tokens, source = spec.tokens_per_sample, "declared"
    elif piloted is not None:
        tokens, source = piloted[1], "piloted"
    else:
        tokens, source = float(longest), "equal, at max_tokens"
    prompt = spec.prompt_tokens if spec.prompt_tokens is not None else piloted[0] if piloted else None
    if prompt is None and (why := _why_prompts_count(card)):
        raise BudgetError(f"models.{card.name}.prompt_tokens is missing: {why}\n  give the mean length of a prompt, or add a pilot")
    read = prompt or 0.0
    reading = cost_of(card, prompt_tokens=read, generated_tokens=0)
    writing = cost_of(card, prompt_tokens=0, generated_tokens=tokens)
    timed = card.tokens_per_second is not None
    return DrawCost(
        prompt=Cost(flops=reading_flops(card, read), usd=reading.usd, seconds=0.0 if timed else None),
        draw=Cost(
            flops=writing_flops(card, read, tokens),
            usd=writing.usd,
            seconds=None if card.tokens_per_second is None else tokens / card.tokens_per_second,
        ),
        worst=most_of(card, prompt_tokens=0 if prompt is None else longest_prompt, generated_tokens=longest),
        shared=_shared(card, shares),
        tokens=tokens,
        tokens_are=source,
        prompt_tokens=prompt,
        to_know=card.to_know,
    )


def _shared(card: ModelCard, shares: bool | None) -> frozenset[Unit]:
    units: list[Unit] = []
    if card.prompt_reading == "shared" and shares is not False:
        units.append("flops")
    if shares:
        units.append("usd")
    return frozenset(units)


def _why_prompts_count(card: ModelCard) -> str:
    """Why a model's costs cannot be told without the length of its prompts, or ""."""
    if card.usd_per_million and any(card.usd_per_million.get(key) for key in ("input", "input_cache_read")):
        return "its input tokens have a price"
    if card.flops_per_token is None:
        return ""
    if card.prompt_reading != "none":
        return f"costs.prompt_tokens: {card.prompt_reading} counts them"
    return "costs.attention counts the context" if card.counts_attention else ""
