"""Fix the date that a chat template gets from `strftime_now`, as Llama 3.2's does for "Today Date: ...".

The clock would make a model read another prompt after midnight. Transformers hands no functions to a template, only data, so the template
gets a macro of that name in front, which hides the function.
"""

from __future__ import annotations

import datetime as dt
import json

_NAME = "strftime_now"
# Of strftime. A minus drops a leading zero.
_DIRECTIVES = (*(f"%-{letter}" for letter in "dmHIMSjy"), *(f"%{letter}" for letter in "aAbBdeFGhHIjmMpSTDRuUVwWyYcxXfzZ"))
_PERCENT = "\0"  # stands for %% until the directives are replaced


def with_fixed_date(template: str, date: dt.date) -> str:
    """Return a chat template for which it is midnight of `date`; one that does not ask for the date is returned as it is."""
    if _NAME not in template:
        return template
    moment = dt.datetime.combine(date, dt.time())
    pairs = [("%%", _PERCENT), *((each, moment.strftime(each)) for each in _DIRECTIVES), (_PERCENT, "%")]
    replaced = "".join(f" | replace({_quoted(old)}, {_quoted(new)})" for old, new in pairs)
    macro = f"{{% macro {_NAME}(format) %}}{{{{ format{replaced} }}}}{{% endmacro %}}"
    # The empty expression keeps a line break at the template's start, which a block before it would swallow.
    return f"{macro}{{{{ '' }}}}{template}"


def _quoted(text: str) -> str:
    """Return a text as a string of Jinja, whose escapes include those of JSON."""
    return json.dumps(text)
