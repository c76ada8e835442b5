"""The card of an exported data set: content, models, prompt, budget, measures, false positives, terms, and how to make it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from isocost.amounts import format_amount, quantity
from isocost.curating.card import cost_text, costs_text, estimate_text, measures_text, table
from isocost.exporting.cells import CellData
from isocost.exporting.shapes import Shape
from isocost.paths import scan_parquet
from isocost.preparing.prepare import judge_of
from isocost.records import Estimate
from isocost.tables.coding import collected
from isocost.yamlfile import dump_yaml

# Licences of the sources that isocost names; the terms of others are not known here.
_LICENCES = {"gsm8k": "mit", "math": "mit", "humaneval": "mit", "mbpp": "cc-by-4.0", "lab": "apache-2.0"}
_JUDGED = {
    "steps": "by checking the equations in the text, so it is probably too low",
    "judge": "by a model as the judge",
    "combined": "by a check of all, corrected by labels of people",
}


def card(cell: CellData, shape: Shape, rows: int, file: str, command: str) -> str:
    """Return the card in Markdown, with the settings by which the datasets library finds the file."""
    kept = sections(cell.data_card)
    content = "the training set" if shape.is_training_set else "the draws"
    parts = [
        _settings(file),
        f"# {cell.study.name}: {cell.name}",
        f"{rows:,} rows: {content} of the cell `{cell.name}` of the study `{cell.study.name}`, made with isocost {version('isocost')}. "
        + correctness(cell, is_training_set=shape.is_training_set),
        "## Rows",
        f"Each row is {shape.about} Problems: {len(cell.problems):,} from {source(cell)}.",
        "## Models",
        kept.get("Models", ""),
        "" if shape.is_training_set else "Solutions are those of the cell's training set, which are among the draws.",
        table(("model", "identity"), _identities(cell)),
        "## Prompt",
        "\n\n".join(_prompts(cell)),
        "## Budget",
        "\n".join(budget(cell)),
        "## Measures",
        *measures_text({name: _read(found) for name, found in cell.measures.items() if name != "fpr" and isinstance(found, dict)}),
        "## False positives",
        "\n".join(false_positives(cell)),
        *(("## From drawn to kept", kept.get("From drawn to kept", "")) if shape.is_training_set else ()),
        "## Decontamination",
        decontamination(cell),
        "## Terms",
        "\n".join(terms(cell)),
        "## Make it again",
        made_by(command),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def made_by(commands: str) -> str:
    """Format the commands that make a data set or a student again, one per line."""
    return f"```console\n{''.join(f'$ {line}{chr(10)}' for line in commands.splitlines())}```"


def _settings(file: str) -> str:
    """Return the front matter of the card, which the hub and the datasets library read."""
    data: dict[str, Any] = {
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": file}]}],
        "tags": ["synthetic", "isocost"],
        "task_categories": ["text-generation"],
    }
    return f"---\n{dump_yaml(data).strip()}\n---"


def sections(text: str) -> dict[str, str]:
    """Return the sections of the run's own card by heading."""
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    return {heading.strip(): body.strip() for heading, _, body in parts}


def correctness(cell: CellData, *, is_training_set: bool = True) -> str:
    """Say what makes a solution correct: the reference answer, or a judge's verdict. A training set may keep all solutions."""
    if is_training_set and cell.study.curate_of(cell.name.partition("@")[0]).filter == "none":
        return "Solutions are kept whatever their answer (`curate.filter: none`): they may miss the reference answer."
    if (judge := judge_of(cell.study)) is None:
        return "Correct solutions reach the reference answer; their reasoning may be wrong."
    return f"Correct solutions were judged correct by the model `{judge}`; they were not compared with reference answers."


def _prompts(cell: CellData) -> Iterator[str]:
    """Yield the prompts: that of each model that solved the problems, and that in whose form the rows are written."""
    roles = {model: f"Solutions of `{model}`:" for model in cell.models}
    roles.setdefault(cell.reader, f"Rows of training sets, for `{cell.reader}`, without worked examples:")
    texts = {model: dump_yaml(cell.study.prompt_of(model).model_dump(mode="json", exclude_defaults=True)).strip() for model in roles}
    for model, text in texts.items():
        if len(set(texts.values())) == 1:
            yield f"```yaml\n{text}\n```"
            return
        yield f"{roles[model]}\n\n```yaml\n{text}\n```"


def source(cell: CellData) -> str:
    """Name the source of the problems."""
    return f"the source `{cell.study.problems.train.source}`"


def _identities(cell: CellData) -> list[tuple[str, str]]:
    known = cell.read_json("manifest.json").get("models")
    names: Mapping[str, Any] = known if isinstance(known, dict) else {}
    return [(model, f"`{names.get(model, 'not known')}`") for model in cell.models]


def budget(cell: CellData) -> Iterator[str]:
    """Yield the lines of the budget: planned, realised, policy."""
    arm, _, budget = cell.name.partition("@")
    plan = cell.read_json("plan.json").get("budgets", {}).get(budget, {})
    if plan.get("amount") is not None:
        yield f"- budget: {format_amount(plan['unit'], plan['amount'])} over all problems"
    chosen: Mapping[str, Any] = next((each for each in plan.get("choices", ()) if each.get("name") == arm), {})
    planned: Mapping[str, float | None] = chosen.get("cost") or {}
    if costs_text(planned):
        yield f"- planned: {costs_text(planned)}"
    number = cell.study.arms[arm].samples_per_problem
    if number is not None:
        yield f"- planned: {quantity(number, 'draw')} per problem"
    spent = collected(
        scan_parquet(cell.run / "samples.parquet")
        .select("problem_id", "model", "sample_index", "cost", "cost_unit", "num_generated_tokens")
        .join(cell.allocations.lazy(), on=["problem_id", "model", "sample_index"], how="semi")
    )
    costs, units = spent["cost"], spent["cost_unit"].drop_nulls().unique().to_list()
    total = cost_text(float(costs.sum()), units[0]) if len(units) == 1 and not costs.null_count() else "cost not known"
    yield f"- realised: {quantity(spent.height, 'draw')}, {total}, {quantity(int(spent['num_generated_tokens'].sum()), 'generated token')}"
    yield f"- policy: `{cell.study.arms[arm].policy}`"


def estimate(found: Mapping[str, Any], *, percent: bool) -> str:
    """Format an estimate of measures.json with its interval, as `44.7% [42.1, 47.3]`."""
    return estimate_text(_read(found), percent=percent)


def _read(found: Mapping[str, Any]) -> Estimate:
    return Estimate(value=found.get("value"), low=found.get("low"), high=found.get("high"), n=found.get("n") or 0)


def false_positives(cell: CellData) -> Iterator[str]:
    """Yield the false positive rate of the cell's data, and how it was judged."""
    models, is_audited = cell.read_json("audits", "rates.json").get("models", {}), False
    for model in cell.models:
        found = models.get(model) or {}
        # The rate of the way that is named: people's labels change it, and not the cell's own, which is by its equations.
        rate = (found.get("rates") or {}).get(found.get("best"))
        if isinstance(rate, dict):
            is_audited = True
            judged = _JUDGED.get(found["best"], f"by {found['best']}")
            number = f"{estimate(rate, percent=True)} of the problems that it solved (n {rate.get('n', '')})"
            yield f"- `{model}`: {number}: right answer, wrong reasoning. Judged {judged}."
    if isinstance(own := cell.measures.get("fpr"), dict):
        number = f"{estimate(own, percent=True)} of the solved problems (n {own.get('n', '')})"
        yield f"- false equations written out in this data: {number}."
    elif not is_audited:
        yield "Not audited."


def decontamination(cell: CellData) -> str:
    """Say which search for contamination was made, and what it found."""
    rules, refused = cell.study.curate, "isocost refuses a study whose training and test problems share a question."
    if not rules.decontaminate:
        return f"{refused} No other search for contamination was made."
    near, sets = cell.near_duplicates(), ", ".join(f"`{name}`" for name in rules.decontaminate)
    return (
        f"{refused} {near:,} training problems nearly repeat a problem of {sets}: at least {100 * rules.overlap:.0f}% of its words "
        f"are in common runs of {rules.ngram} words. Their solutions are not in a training set."
    )


def terms(cell: CellData) -> Iterator[str]:
    """Yield the licences and terms of the questions and of each model's solutions."""
    licence = _LICENCES.get(cell.study.problems.train.source)
    yield f"- questions: {licence or 'the terms of their source, which isocost does not know'}"
    for model in cell.models:
        spec = cell.study.models[model]
        named = "; ".join(each for each in (spec.license and f"licence {spec.license}", spec.terms) if each)
        unnamed = "the terms of this model, which the study does not name, decide what may be trained on them"
        yield f"- solutions of `{model}`: {named or unnamed}"
