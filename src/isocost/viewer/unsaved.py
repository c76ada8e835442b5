"""The page after a verdict was not saved: the reason, the text that was typed, and a button that tries again."""

from __future__ import annotations

from collections.abc import Mapping

from isocost.errors import InputError, IsocostError, RunDirectoryError
from isocost.records import Label
from isocost.viewer.labelbook import StaleError, mark
from isocost.viewer.labelling import Labelling
from isocost.viewer.queue import address
from isocost.viewer.wording import label_text

_CARRIED = ("sample", "verdict", "reason", "note", "among", "stood", "last")


def not_saved(labelling: Labelling, action: str, form: Mapping[str, str], error: IsocostError) -> tuple[str, int]:
    """Return the page and its HTTP status.

    Args:
        labelling: The pages of the labeller.
        action: Address that the form was sent to, `/label` or `/undo`.
        form: Fields of the form.
        error: Error that refused it. After a `StaleError` the page shows the current and the new label, and asks which to keep.
    """
    kept = {name: form[name] for name in _CARRIED if name in form}
    if isinstance(error, StaleError):
        asked = _asked_undo(labelling, error.stands) if action == "/undo" else _asked(labelling, form, error.stands)
        kept |= {"last" if action == "/undo" else "stood": mark(error.stands)}
        return labelling.render("unsaved.html.j2", title="Changed meanwhile", action=action, kept=kept, **asked), 409
    page = labelling.render(
        "unsaved.html.j2",
        title="Not saved",
        action=action,
        kept=kept,
        message=str(error),
        facts=[("your note", form["note"])] if form.get("note") else [],
        again="try again",
        back="/label",
        leave="back to labelling",
    )
    return page, status_of(error)


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error: 400 for what was asked, 500 for files that cannot be read or written."""
    return 400 if isinstance(error, InputError) and not isinstance(error, RunDirectoryError) else 500


def _asked(labelling: Labelling, form: Mapping[str, str], stands: Label | None) -> dict[str, object]:
    number, verdict, reason, note = labelling.read(form)
    now = Label(at="", labeller="", sample_id=form["sample"], verdict=verdict, reason=reason, note=note)
    return {
        "message": f"Solution {number} got another verdict of yours after this page was opened, perhaps in another tab.",
        "facts": [("it stands as", label_text(stands) if stands else "not labelled (undone)"), ("here you said", label_text(now))],
        "again": f"change it to {verdict}",
        "back": address(number, differing=bool(form.get("among"))),
        "leave": "leave it as it stands",
    }


def _asked_undo(labelling: Labelling, stands: Label | None) -> dict[str, object]:
    number = labelling.queue().number(stands.sample_id) if stands else None
    return {
        "message": "You said or took back something else after this page was opened, perhaps in another tab.",
        "facts": [("your last word is now", f"{number or 'one not chosen any more'}: {label_text(stands)}" if stands else "none")],
        "again": "undo that" if stands else "",
        "back": address(number) if number else "/label",
        "leave": "leave it as it stands",
    }
