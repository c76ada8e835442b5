"""What a study says about prompts and sampling, for all models and for one."""

from typing import Any

import pytest

from isocost.config import Study
from isocost.errors import StudyError
from isocost.prompts import make_template
from isocost.studyfile import check_study
from isocost.studynames import Known

KNOWN = Known(
    sources={"jsonl": ("path",)},
    engines={"replay": ("table", "model")},
    policies={"uniform": ("samples_per_problem",)},
    graders={"number": ()},
    templates=("gsm8k", "lab"),
)
OWN = {"form": "Q: {question}\nA:", "examples": [{"question": "1 + 1?", "solution": " 2"}], "separator": "\n--\n", "stop": ["\nQ:"]}


def raw(prompt: Any = None, weak: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A study with a model `weak`, which has settings of its own, and a model `strong`, which has none."""
    model = {"engine": "replay", "table": "t.parquet", "model": "m", "params": 1}
    return {
        "name": "prompts",
        "problems": {"train": {"source": "jsonl", "path": "p.jsonl"}},
        "models": {"weak": model | (weak or {}), "strong": model},
        "prompt": prompt or {"template": "gsm8k"},
        "arms": {"weak": {"models": ["weak"], "samples_per_problem": 1}},
        **changes,
    }


def study(*args: Any, **changes: Any) -> Study:
    return check_study(raw(*args, **changes), KNOWN)


def test_a_template_of_ones_own_in_the_study_file() -> None:
    template = make_template(study(OWN).prompt_of("weak"))
    assert template.render("Why {so}?") == "Q: 1 + 1?\nA: 2\n--\nQ: Why {so}?\nA:"
    assert template.plain("Why?") == "Q: Why?\nA:"
    assert template.reply_stop == template.stop == ("\nQ:",)


def test_a_chat_and_its_system_message_go_with_the_template() -> None:
    template = make_template(study({"template": "gsm8k", "chat": True, "system": "Be brief."}).prompt_of("weak"))
    plain = make_template(study().prompt_of("weak"))
    assert (template.chat, template.system, plain.chat, plain.system) == (True, "Be brief.", False, None)
    assert template.render("Why?") == plain.render("Why?")
    assert template.plain("Why?") == plain.plain("Why?")


def test_a_chat_model_ends_its_turn_itself_unless_the_study_says_how() -> None:
    plain, chat = (make_template(study({"template": "gsm8k", "chat": chat}).prompt_of("weak")) for chat in (False, True))
    assert plain.stop
    assert plain.reply_stop == chat.stop == plain.stop
    assert chat.reply_stop == ()
    assert make_template(study(OWN | {"chat": True}).prompt_of("weak")).reply_stop == ("\nQ:",)


@pytest.mark.parametrize(
    ("of_study", "of_model", "merged"),
    [
        ({"template": "gsm8k"}, {"chat": True}, {"template": "gsm8k", "chat": True}),
        ({"template": "gsm8k", "chat": True, "system": "S"}, {"template": "lab"}, {"template": "lab", "chat": True, "system": "S"}),
        ({"template": "gsm8k", "chat": True, "system": "S"}, {"system": "T"}, {"template": "gsm8k", "chat": True, "system": "T"}),
        ({"template": "gsm8k", "chat": True, "system": "S"}, {"chat": False}, {"template": "gsm8k"}),
        ({"template": "gsm8k", "chat": True, "system": "S"}, {"system": None}, {"template": "gsm8k", "chat": True}),
        ({"template": "gsm8k", "chat": True}, {"form": "{question}"}, {"form": "{question}", "chat": True}),
        (OWN, {"template": "lab"}, {"template": "lab"}),
        (OWN, {"form": "{question}"}, {"form": "{question}"}),
        (OWN, {"chat": True}, OWN | {"chat": True}),
    ],
)
def test_a_model_changes_what_it_names(of_study: dict[str, Any], of_model: dict[str, Any], merged: dict[str, Any]) -> None:
    changed = study(of_study, {"prompt": of_model})
    expected = study(merged)
    assert make_template(changed.prompt_of("weak")) == make_template(expected.prompt_of("weak"))
    assert changed.prompt_of("weak").name == expected.prompt_of("weak").name
    assert changed.prompt_of("strong") == study(of_study).prompt_of("strong")


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ({"template": "gsm8k"}, "gsm8k"),
        ({"template": "gsm8k", "chat": True}, "gsm8k-chat"),
        (OWN, "own"),
        (OWN | {"chat": True}, "own-chat"),
    ],
)
def test_a_prompt_has_a_name(prompt: dict[str, Any], name: str) -> None:
    assert study(prompt).prompt_of("weak").name == name


@pytest.mark.parametrize(
    ("prompt", "of_model", "mistake"),
    [
        ({"chat": True}, None, "prompt: give template, or form for one of your own"),
        ({"template": "gsm8k", "form": "{question}"}, None, "prompt: give either template or form"),
        ({"form": "Q: {quesiton}"}, None, "prompt.form: write {question} where the problem's text goes, got 'Q: {quesiton}'"),
        ({"template": "gsm8k", "stop": ["x"]}, None, "prompt: stop belongs to a form of your own; add form or put it under sampling"),
        ({"template": "gsm8k", "examples": []}, None, "prompt: examples belongs to a form of your own; add form"),
        (OWN | {"examples": [{"question": "Q"}]}, None, 'prompt.examples.0.solution: "solution" is missing'),
        (OWN | {"examples": [{"qestion": "Q"}]}, None, 'prompt.examples.0.qestion: unknown key "qestion"; did you mean "question"?'),
        (OWN | {"stop": [""]}, None, "prompt.stop.0: string should have at least 1 character"),
        ({"template": "gsm8k", "system": "S"}, None, "prompt: a system message needs a chat; add chat: true, or leave system out"),
        ({"template": "gsm8k"}, {"system": "S"}, "models.weak.prompt.system: a system message needs a chat; add chat: true"),
        ({"template": "gsm8k", "chat": True}, {"chat": False, "system": "S"}, "models.weak.prompt.system: a system message needs a chat"),
        ({"template": "gsm8k"}, {"template": "gms8k"}, 'models.weak.prompt.template: unknown template "gms8k"; did you mean "gsm8k"?'),
        ({"template": "gsm8k"}, {"chta": True}, 'models.weak.prompt.chta: unknown key "chta"; did you mean "chat"?'),
        ({"template": "gsm8k"}, {"form": "Why?"}, "models.weak.prompt.form: write {question} where"),
    ],
)
def test_mistakes_are_told_where_they_are(prompt: dict[str, Any], of_model: dict[str, Any] | None, mistake: str) -> None:
    with pytest.raises(StudyError) as caught:
        study(prompt, {"prompt": of_model} if of_model else None)
    assert any(found.startswith(mistake) for found in caught.value.mistakes), caught.value.mistakes
    assert all("\n" not in found for found in caught.value.mistakes)


def test_a_models_sampling_replaces_what_it_names() -> None:
    sampling = {"temperature": 0.8, "top_k": 5, "max_tokens": 100, "stop": ["END"]}
    changed = study(None, {"sampling": {"temperature": 0, "max_tokens": 2000}}, sampling=sampling)
    assert changed.sampling_of("weak").params(("\n",)).stop == ("END", "\n")
    assert (
        changed.sampling_of("weak").model_dump() == study(sampling=sampling | {"temperature": 0, "max_tokens": 2000}).sampling.model_dump()
    )
    assert changed.sampling_of("strong") == changed.sampling
    assert study(None, {"sampling": {"stop": []}}, sampling=sampling).sampling_of("weak").stop == ()


@pytest.mark.parametrize(
    ("sampling", "mistake"),
    [
        ({"temprature": 1}, 'models.weak.sampling.temprature: unknown key "temprature"; did you mean "temperature"?'),
        ({"top_p": 0}, "models.weak.sampling.top_p: input should be greater than 0"),
        ({"max_tokens": None}, "models.weak.sampling.max_tokens: cannot be left out"),
    ],
)
def test_mistakes_in_a_models_sampling(sampling: dict[str, Any], mistake: str) -> None:
    with pytest.raises(StudyError) as caught:
        study(None, {"sampling": sampling})
    assert [found for found in caught.value.mistakes if found.startswith(mistake)], caught.value.mistakes


def test_settings_that_were_left_out_stay_left_out_when_a_study_is_written_down() -> None:
    given = raw(OWN, {"prompt": {"chat": True}, "sampling": {"temperature": 1}}, sampling={"max_tokens": 7})
    again = check_study(check_study(given, KNOWN).model_dump(mode="json", exclude_unset=True), KNOWN)
    assert again.sampling_of("weak") == check_study(given, KNOWN).sampling_of("weak")
    assert again.prompt_of("weak") == check_study(given, KNOWN).prompt_of("weak")
    assert again.sampling_of("weak").max_tokens == 7
