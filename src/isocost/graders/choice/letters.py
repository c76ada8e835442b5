"""Find the letter of the option that a solution settles on, among all the letters it mentions.

Signs are tried from the surest to the weakest: "the answer is (B)", "therefore it's B", a line with the letter alone, a letter in bold,
the last "option B" that is not denied. Within one kind of sign the last one counts, as in "the answer is A. Wait, the answer is B".
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from isocost.graders.choice.words import (
    AND,
    BECAUSE,
    CHOSEN,
    CONCLUDED,
    CONFIRMED,
    CONNECTIVE,
    DENIED,
    INSTEAD,
    NAMED,
    NOT,
    OR,
    REFUTED,
    SOUGHT,
    STATED,
    SUPPOSED,
    TRUE,
)

LETTERS = "ABCDEFGHIJ"
MOST_SIGNS = 200  # of one kind that are examined, from the last one back, so that hostile text takes linear time
LONGEST_TAIL = 200  # characters of an answer given in words

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_CIRCLED = {first + i: ord("A") + i for first in (0x24B6, 0x1D400, 0x1D5D4, 0x1F150, 0x1F170) for i in range(len(LETTERS))}
_TABLE: dict[int, int | str] = {
    **_WIDE,
    **_CIRCLED,
    ord("【"): "[",
    ord("】"): "]",
    ord("「"): "[",
    ord("」"): "]",
    ord("。"): ".",
    ord("“"): '"',
    0xA0: " ",
}
_LAYOUT = re.compile(
    r"\\(?:text(?:bf|rm|it|sf|normal)?|math(?:bf|rm|it|sf)|mbox|boxed|fbox|bf|rm)(?![A-Za-z]) ?\{?|\\(?:q?quad(?![A-Za-z])|[ ,;:!()\[\]])"
    r"|[${}`*~]|(?<![A-Za-z0-9])_{1,2}|_{1,2}(?![A-Za-z0-9])|</?(?:b|i|p|em|strong|u)>"
)
_SPACES = re.compile(r"[ \t\r\f\v]+")
_GAP = re.compile(r"\s+")  # not `\s*\n\s*`, which takes quadratic time on white space that _SPACES leaves
# A letter alone: not in a word, an abbreviation, a hyphenated word ("A-level") or before an apostrophe ("I'm").
_LETTER = re.compile(
    r"(?P<open>[\[(<\"'‘]{0,3}) ?(?P<letter>[A-Ja-j])(?![A-Za-z0-9À-ɏ_]|['’][A-Za-zÀ-ɏ]|-[A-Za-z0-9])(?: ?(?P<close>[\])>\"'’]{1,3}))?"
)
_RUN = re.compile(r"[\[(\"']?([A-J]{2,10})[\])\"']?(?=[.,;]|\s|$)")  # several letters in one word: ABD
_END = re.compile(r"[ ]?(?:[.,;:!)\]\n，；！：、]|$)")
_BEFORE = re.compile(r"[A-Za-z0-9À-ɏ_'’\\^-]")
_BRACKETED = re.compile(r"(?<![A-Za-z0-9_])[(\[]([A-J])[)\]]")  # (B)
# The label at the head of a line: "B) dog"
_HEAD = re.compile(r"(?m)^[-#>• ]{0,4}(?:option |choice )?[(\[]?([A-J])[)\].:、](?=[ \n]|$|[^A-Za-z0-9])")
# A line with nothing but a letter
_ALONE = re.compile(r"(?i)[-#>• ]{0,4}(?:option |choice |answer )?[(\[\"']{0,2}([A-J])[)\]\"']{0,2}[.!]?")
# A line with a letter and how sure it is: "Clearly, B.", "Probably B?", "B, of course", "\u2705 B"
_SURE = r"clearly|obviously|definitely|certainly|surely|undoubtedly|probably|most likely|likely|of course|without (?:a )?doubt|no doubt"
_ALONE_SURE = re.compile(
    rf"(?:(?i:{_SURE}|i'?d go for|选|選)[,:]? ?|[\u2705\u2714\u2611\ufe0f]+ ?)[(\[]?([A-J])[)\]]?[.!?]?"
    rf"|[(\[]?([A-J])[)\]]?, (?i:{_SURE})[.!]?(?: .*)?"
)
_TICKED = re.compile(r"(?m)^[-#>• ]{0,4}(?:[\u2705\u2714\u2611]\ufe0f? ?)?[(\[]?([A-J])[)\].:、][^\n]*$")
_TICKS = "\u2705\u2714\u2611"
# **B** or **B) dog**
_BOLD = re.compile(r"(?i)(?:\*\*|__)[(\[]?(?:option |choice )?[(\[]?([A-J])(?:[)\].:]{1,2}(?: [^*\n]{0,80})?|)(?:\*\*|__)")
_LABEL = re.compile(r"(?<![A-Za-z0-9])[(\[]?([A-J])[)\]]")
# A verb after letters makes them the subject of a new clause: "it is B, C and D are wrong".
_VERB = re.compile(
    r" (?:is|are|was|were|can|cannot|do|does|isn|aren|don|ist|sind|est|sont|es|son)\b|" + REFUTED.pattern.removeprefix("(?i)")
)
_SUBJECT = re.compile(
    r"(?i)(?:options|choices|answers|alternatives|letters|statements) ?$|^(?:both |the |so |all )*(?:option|choice|answer|letter) ?$"
)
_SENTENCE = re.compile(r"[.!?\n](?=\s|$|[^\x00-\x7f])|\n")


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen letters, upper case, in order. `how`: one letter, several at once (`and`), or undecided between them (`or`)."""

    letters: tuple[str, ...]
    how: Literal["one", "and", "or"] = "one"

    def __str__(self) -> str:
        return (" or " if self.how == "or" else ", ").join(self.letters)


@dataclass(frozen=True, slots=True)
class Sign:
    """A place where a solution states its choice: letters, an answer in words, or both ("C major"), and the end of the letters.

    `supposed`: right under other conditions ("the answer would be C if it was raining").
    """

    choice: Choice | None
    words: str
    end: int
    supposed: bool = False


def plain(text: str) -> str:
    """Return the text in ASCII letters and brackets, without LaTeX, emphasis and runs of white space."""
    spaced = _SPACES.sub(" ", _LAYOUT.sub("", text.translate(_TABLE)))
    return _GAP.sub(lambda gap: "\n" if "\n" in gap[0] else gap[0], spaced).strip()


def read_choice(text: str) -> Choice | None:
    """Return the choice if a text contains nothing else: `B`, `(b)`, `B. dog`, `A and C`, `ABD`, `A or B`."""
    if (group := _group(text, 0)) and _END.match(text, group[1]):
        return group[0]
    return None


def find_statement(text: str) -> Sign | None:
    """Return the statement after the last "the answer is" or "I choose". A later conclusion decides a choice left undecided there."""
    found = [sign for sign in _signs(text) if sign.choice or sign.words]
    chosen = [sign for sign in found if sign.choice]
    chosen = [sign for sign in chosen if not sign.supposed] or chosen
    if not chosen:
        return found[-1] if found else None
    last = max(chosen, key=lambda sign: sign.end)
    if last.choice and last.choice.how == "or" and (later := find_conclusion(text[last.end :])):
        return Sign(later, "", last.end)
    return last


def find_conclusion(text: str) -> Choice | None:
    """Return the letter after the last "therefore" or "it must be", or before the last "is correct"."""
    found: list[tuple[int, Choice]] = []
    for match in deque(CONCLUDED.finditer(text), maxlen=MOST_SIGNS):
        group = _group(text, match.end(), loose=False)
        if group and not REFUTED.match(text, group[1]) and not _asked(text, group[1]) and _settled(text, group[1]):
            found.append((group[1], _without_refuted(text, *group)))
    ends: dict[int, Choice] = {}
    for match in deque(_LETTER.finditer(text), maxlen=MOST_SIGNS):
        if one := _confirmed(text, match):
            ends.setdefault(*one)  # of "A and B are correct", both letters and not B alone
    confirmed = list(ends.items())
    judged = [one for one in confirmed if TRUE.match(text, one[0])]
    if len({choice for _, choice in judged}) > 1:  # "A is true. B is true. C is false.": statements, of which the question asks for one
        confirmed = [one for one in confirmed if one not in judged]
    found += confirmed
    found = [one for one in found if not SUPPOSED.match(text, one[0] + 1)] or found
    return max(found, key=lambda one: one[0])[1] if found else None


def find_isolated(text: str) -> Choice | None:
    """Return a letter alone on the last or first line, else at the head of one of them without a list, else the only letter in bold."""
    lines = plain(text).split("\n")
    for line in (lines[-1], lines[0]):
        if match := _ALONE.fullmatch(line):
            return Choice((match[1].upper(),))
        if match := _ALONE_SURE.fullmatch(line):
            return Choice((match[1] or match[2],))
        if (group := _group(line, 0)) and line[group[1] :].strip(" .!") == "":
            return group[0]
    if any(tick in text for tick in _TICKS) and len(ticked := _ticked("\n".join(lines))) == 1:
        return Choice((ticked[0],))
    heads = set(_HEAD.findall("\n".join(lines)))
    for line in (lines[0], lines[-1]):
        if (head := _HEAD.match(line)) and len(heads | set(_LABEL.findall(line))) == 1:
            return Choice((head[1],))
    bold = {letter.upper() for letter in _BOLD.findall(text)}
    return Choice((bold.pop(),)) if len(bold) == 1 else None


def _ticked(text: str) -> list[str]:
    """Return the letters of the options in a list that have a tick, as "B. 42 \u2705"."""
    return [match[1] for match in _TICKED.finditer(text) if any(tick in match[0] for tick in _TICKS)]


def find_mention(text: str) -> Choice | None:
    """Return the letter named in the last sentence that names one without denying it.

    A sentence that names several letters without joining them names none.
    """
    if len(set(_HEAD.findall(text))) > 1:  # a list of the options: its heads are labels, not choices
        text = _HEAD.sub("", text)
    for sentence in reversed(deque(_SENTENCE.split(text), maxlen=MOST_SIGNS)):
        found = list(_mentions(sentence))
        if found:
            distinct = set(found)
            letters = {letter for choice in found for letter in choice.letters}
            widest = max(found, key=lambda choice: len(choice.letters))
            return widest if len(distinct) == 1 or set(widest.letters) == letters else None
    return None


def _signs(text: str) -> Iterator[Sign]:
    """Yield every statement, in the order of the text within each kind."""
    for pattern in (STATED, CHOSEN):
        for match in deque(pattern.finditer(text), maxlen=MOST_SIGNS):
            # 40 characters hold a denial and the words between it and the statement; an unbounded search would take quadratic time.
            if not DENIED.search(text[max(0, match.start() - 40) : match.start()]) or pattern is CHOSEN:
                sign = read_sign(text, match.end(), denied=any(match.groupdict().values()))
                supposed = SUPPOSED.search(text, match.start(), match.end() + LONGEST_TAIL)
                yield replace(sign, supposed=supposed is not None and supposed.start() < match.end())


def read_sign(text: str, start: int = 0, *, denied: bool = False) -> Sign:
    """Read the statement at a place where an answer is expected.

    Args:
        text: The text, as `plain` returns it.
        start: The place.
        denied: True after "is not", where "A but B" means B.
    """
    if negated := NOT.match(text, start):
        denied, start = True, negated.end()
    group = _group(text, start)
    if denied or (group and (_asked(text, group[1]) or REFUTED.match(text, group[1]))):
        instead = INSTEAD.match(text, group[1]) if group else None
        meant = _group(text, instead.end()) if instead else None
        return Sign(meant[0], "", meant[1]) if meant else Sign(None, "", start)
    words = _SENTENCE.split(text[start : start + LONGEST_TAIL], maxsplit=1)[0].strip()
    if group is None:
        return Sign(find_mention(words), words, start)
    choice, end = group
    labelled = _END.match(text, end) or text[end - 1] in ")]" or CONNECTIVE.match(text, end)
    return Sign(choice, "" if labelled else words, end)


def _group(text: str, start: int, *, loose: bool = True, subject: bool = False) -> tuple[Choice, int] | None:
    """Return the letters at a place, joined by "and", "or" or commas, and their end.

    `loose` also accepts bare lower-case letters. Without `subject`, letters that begin a new clause are left out: in "it is B, A is
    wrong" and in "it is B, C and D are wrong".
    """
    if run := _RUN.match(text, start):  # "ABD" in ascending order is a list of options; "BAD" is a word
        return (Choice(tuple(run[1]), "and"), run.end()) if list(run[1]) == sorted(set(run[1])) else None
    first = _LETTER.match(text, start)
    if first is None or not _is_letter(text, first, loose):
        return None
    found, joints, ends = [first["letter"].upper()], [""], [first.end()]
    while len(found) < len(LETTERS) and (step := _next_letter(text, ends[-1], loose)):
        found.append(step[1]["letter"].upper())
        joints.append(step[0])
        ends.append(step[1].end())
    if not subject and len(found) > 1 and _VERB.match(text, ends[-1]):
        kept = max((i for i, joint in enumerate(joints) if joint.startswith(",")), default=len(found) - 1)
        found, joints, ends = found[:kept], joints[:kept], ends[:kept]
    letters = tuple(sorted(set(found)))
    undecided = any(OR.fullmatch(joint) for joint in joints)
    return Choice(letters, "one" if len(letters) == 1 else "or" if undecided else "and"), ends[-1]


def _next_letter(text: str, end: int, loose: bool) -> tuple[str, re.Match[str]] | None:
    """Return the joint to the next letter, and that letter."""
    joint = OR.match(text, end) or AND.match(text, end)
    if joint is None:
        return None
    named = NAMED.match(text, joint.end())
    letter = _LETTER.match(text, named.end() if named else joint.end())
    return (joint[0], letter) if letter and _is_letter(text, letter, loose) else None


def _is_letter(text: str, match: re.Match[str], loose: bool) -> bool:
    """Return True if it is meant as a letter, not as an article, a pronoun or a variable."""
    if match.start("letter") and _BEFORE.match(text, match.start("letter") - 1) and not match["open"]:
        return False
    letter, end = match["letter"], match.end("letter")
    close = match["close"] or ""
    if close[:1] in (")", "]", '"', ">") or (match["open"] and close):
        return True
    if letter in "Ii":
        return letter == "I" and bool(re.match(r"[ ]?(?:[.;\n]|$)", text[end : end + 2]))
    if letter.islower():
        return loose and bool(_END.match(text, end) or (letter != "a" and CONNECTIVE.match(text, end)))
    return letter != "A" or not re.match(r" ?[A-Za-zÀ-ɏ0-9]", text[end : end + 2]) or bool(CONNECTIVE.match(text, end))


def _confirmed(text: str, match: re.Match[str]) -> tuple[int, Choice] | None:
    """Return the end and the letters that begin here, if "is correct" follows them."""
    group = _group(text, match.start(), loose=False, subject=True)
    if group is None or not match["letter"].isupper() or DENIED.search(text[max(0, match.start() - 40) : match.start()]):
        return None
    if REFUTED.match(text, group[1]):
        return (group[1], group[0]) if SOUGHT.match(text, group[1]) else None
    return (group[1], group[0]) if CONFIRMED.match(text, group[1]) else None


def _mentions(sentence: str) -> Iterator[Choice]:
    places = sorted({*(m.start() for m in _BRACKETED.finditer(sentence)), *(m.end() for m in NAMED.finditer(sentence))})
    for place in places[-MOST_SIGNS:]:
        group = _group(sentence, place, loose=False)
        before = NAMED.sub("", sentence[max(0, place - 40) : place])
        if group and not _is_refuted(sentence, place, group[1]) and not DENIED.search(before):
            yield group[0]


def _is_refuted(sentence: str, place: int, end: int) -> bool:
    """Return True if letters are refuted, alone or as the subject of a clause: "options A, B and D can be ruled out"."""
    if REFUTED.match(sentence, end):
        return True
    named = _SUBJECT.search(sentence, max(0, place - 40), place)
    whole = _group(sentence, place, loose=False, subject=True) if named else None
    return whole is not None and REFUTED.match(sentence, whole[1]) is not None


def _settled(text: str, end: int) -> bool:
    """Return True if the clause ends after the letter: "so B is 5" is about a variable."""
    return bool(text[end - 1] in ")]" or _END.match(text, end) or BECAUSE.match(text, end) or CONFIRMED.match(text, end))


def _without_refuted(text: str, choice: Choice, end: int) -> Choice:
    """Return a choice left open, "B or C", without the letters that the rest of the sentence refutes: "and C is false"."""
    if choice.how != "or":
        return choice
    rest = _SENTENCE.split(text[end : end + LONGEST_TAIL], maxsplit=1)[0]
    groups = [_group(rest, match.start(), loose=False, subject=True) for match in _LETTER.finditer(rest)]
    refuted = {letter for group in groups if group and REFUTED.match(rest, group[1]) for letter in group[0].letters}
    kept = tuple(letter for letter in choice.letters if letter not in refuted)
    return Choice(kept) if len(kept) == 1 else choice


def _asked(text: str, end: int) -> bool:
    return bool(re.match(r" ?[?？]", text[end : end + 2]))
