"""The first contact with endpoints: one small request a model, outside any run, and what came back."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace

from isocost.amounts import duration, format_amount
from isocost.costs.draws import cost_of, max_cost_of
from isocost.engines.base import Generation, Request
from isocost.errors import IsocostError
from isocost.executors.jobs import EngineSpec
from isocost.graders.judge import JudgeRequest, judging_prompt
from isocost.judging.pool import judging_params
from isocost.judging.reasoning import judge_prompt
from isocost.judging.replies import greedy_params, own_system
from isocost.preparing.prepare import Prepared, auditor_of, generators, judge_of
from isocost.prompts.base import most_prompt_tokens
from isocost.records import Cost, SamplingParams

MOST_TOKENS = 256  # of the reply, if the study allows more: enough to see what comes back
MOST_SECONDS = 120.0  # for a reply, if the model's section allows more: a person waits for it
SILENT = 30.0  # seconds without an answer that are told, and told again
_SHOWN = 300  # characters of a text
_SOLUTION = "1 + 1 = 2. The answer is 2."  # for judges

Ask = Callable[[EngineSpec, Request, SamplingParams], Future[list[Generation]]]
Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The reply of a model's endpoint to one request: `text` for people, and True if it is of use."""

    model: str
    text: str
    is_good: bool


def contact_endpoints(prepared: Prepared, ask: Ask, tell: Tell) -> list[Contact]:
    """Send one small request to each model behind an endpoint, and describe what came back, its usage and its price.

    A request whose worst case does not fit under the study's limit is not sent. The requests are in no ledger and no budget.

    Args:
        prepared: The study.
        ask: Begins to answer a request: (engine, request, sampling parameters).
        tell: Called with a line for people while an endpoint does not answer.
    """
    requests = _requests(prepared)
    return [_contact(prepared, name, *requests[name], ask, tell) for name in requests if prepared.facts[name].remote]


def _requests(prepared: Prepared) -> dict[str, tuple[Request, SamplingParams]]:
    """Return the first request of each model of the study, with short replies."""
    study, problem = prepared.study, prepared.problems["train"][0]
    found: dict[str, tuple[Request, SamplingParams]] = {}

    def add(name: str, prompt: str, params: SamplingParams, system: str | None = None) -> None:
        chat = prepared.templates[name].chat
        request = Request(problem_id=problem.id, prompt=prompt, first_index=0, count=1, chat=chat, system=system if chat else None)
        found.setdefault(name, (request, replace(params, max_tokens=min(params.max_tokens, MOST_TOKENS))))

    for name in generators(study):
        template = prepared.templates[name]
        add(name, template.render(problem.question), study.sampling_of(name).params(template.reply_stop), template.system)
    if judge := judge_of(study):
        add(
            judge,
            judging_prompt(JudgeRequest(question=problem.question, generation=_SOLUTION)),
            judging_params(study),
            own_system(prepared, judge),
        )
    if auditor := auditor_of(study):
        params = greedy_params(study.audit.max_tokens, study.models[auditor].sampling)
        add(auditor, judge_prompt(problem, _SOLUTION), params, own_system(prepared, auditor))
    return found


def _contact(prepared: Prepared, name: str, request: Request, params: SamplingParams, ask: Ask, tell: Tell) -> Contact:
    limit, card = prepared.study.limit, prepared.cards[name]
    bound = most_prompt_tokens(request.prompt, request.system, chat=request.chat) + prepared.facts[name].added_tokens
    worst = max_cost_of(card, prompt_tokens=bound, generated_tokens=params.max_tokens)
    if limit is not None and ((most := worst.amount(limit.unit)) is None or most > limit.amount):
        why = "is not known in the unit of the limit" if most is None else "does not fit under limit.amount"
        return Contact(model=name, text=f"not sent: its worst case {why}", is_good=False)
    started = time.monotonic()
    try:
        asked = ask(_impatient(prepared.specs[name]), request, params)
        while not wait([asked], timeout=SILENT).done:
            tell(f"{name}: no answer for {duration(time.monotonic() - started)}")
        replies = asked.result()
    except IsocostError as error:
        return Contact(model=name, text=str(error), is_good=False)
    seconds = time.monotonic() - started
    if not replies:
        return Contact(model=name, text="returned no solution", is_good=False)
    reply = replies[0]
    paid = cost_of(
        card,
        prompt_tokens=reply.num_prompt_tokens,
        generated_tokens=reply.num_generated_tokens,
        cached_tokens=reply.num_cached_tokens,
        cache_write_tokens=reply.num_cache_write_tokens,
    )
    return Contact(model=name, text=_describe(reply, params, paid, seconds), is_good=reply.finish_reason != "error")


def _impatient(spec: EngineSpec) -> EngineSpec:
    """Return the engine with a time limit of no more than `MOST_SECONDS`. An engine of the user's own has its own."""
    if spec.name != "openai":
        return spec
    given = dict(spec.options)
    own = given.get("timeout")
    most = min(own, MOST_SECONDS) if isinstance(own, int | float) else MOST_SECONDS
    return replace(spec, options=tuple({**given, "timeout": most}.items()))


def _describe(reply: Generation, params: SamplingParams, paid: Cost, seconds: float) -> str:
    """Return what came back, its usage and its price, as indented lines."""
    tokens = [f"{reply.num_prompt_tokens:,} prompt tokens", f"{reply.num_generated_tokens:,} generated"]
    extras = {"of them reasoning": reply.num_reasoning_tokens, "cached": reply.num_cached_tokens}
    tokens += [f"{number:,} {what}" for what, number in extras.items() if number]
    price = "price not known" if paid.usd is None else format_amount("usd", paid.usd)
    if reply.reported_usd is not None:
        price += f" (the endpoint says {format_amount('usd', reply.reported_usd)})"
    lines = [
        f"answered as {reply.answered_by or 'a model without a name'} in {seconds:.1f} s",
        f"finish_reason {reply.finish_reason}{_why_ended(reply, params)}",
        f"{', '.join(tokens)}: {price}",
        *(f"note: {remark.text}" for remark in reply.remarks),
    ]
    if reply.reasoning:
        lines.append(f"reasoning: {_shown(reply.reasoning)}")
    return "\n  ".join([*lines, f"text: {_shown(reply.text)}"])


def _why_ended(reply: Generation, params: SamplingParams) -> str:
    if reply.failure:
        return f": {reply.failure}"
    if reply.finish_reason != "length":
        return ""
    return f": cut off at max_tokens {params.max_tokens:,}; raise it, or ask for shorter solutions"


def _shown(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}..."


def to_text(found: list[Contact]) -> str:
    """Return what the endpoints replied, a paragraph a model."""
    if not found:
        return "No model of the study is behind an endpoint."
    head = "One request to each endpoint, in no budget and on no bill:"
    return "\n\n".join([head, *(f"{each.model}: {each.text}" for each in found)])
