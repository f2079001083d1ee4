"""What the managed comment says, and how an edit by a person is recognised. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from backlint.model import Comment, Judgement
from backlint.text.parse import parse

NOTHING_LEFT = "Nothing left to ask on this issue."


def render(questions: Sequence[Judgement], *, skip_label: str, explain_url: str = "", heard: Sequence[str] = ()) -> str:
    """The comment's Markdown for up to three questions; `NOTHING_LEFT` for none. No greeting, no names, no mentions.

    `heard` answers the commands that people gave on the issue.
    """
    if not questions:
        return "\n\n".join([NOTHING_LEFT, *_heard(heard)])
    first = (
        "One question on this issue:" if len(questions) == 1 else f"{_words(len(questions))} questions on this issue:"
    )
    lines = [f"- {each.question} ({_code(each.rule, explain_url)}: {_fact(each.message)})" for each in questions]
    asked = "\n".join([first, "", *lines])
    return "\n\n".join([asked, *_heard(heard), _closing(skip_label, questions[0].rule)])


def _heard(answers: Sequence[str]) -> Sequence[str]:
    return [f"Noted: {'; '.join(answers)}."] if answers else []


def _closing(skip_label: str, code: str) -> str:
    return (
        f"Not needed here? Write `N/A – reason` in its place, reply `/hygiene waive {code}: reason`, "
        f"or label the issue `{skip_label}`. Mistaken? Reply `/hygiene wrong {code}: why`, or delete this comment: "
        "it does not come back. Once the answers are in the issue, this comment says so."
    )


def digest(comment: Comment) -> str:
    """Of the comment's words as the tracker keeps them: another one than after our write means that a person edited."""
    words = " ".join(parse(comment.body, comment.markup).text.split())
    return hashlib.sha256(words.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _fact(message: str) -> str:
    plain = message.rstrip(".")
    return plain[:1].lower() + plain[1:] if plain[1:2].islower() or plain[1:2] == " " else plain


def _code(code: str, explain_url: str) -> str:
    return f"[{code}]({explain_url.replace('{code}', code)})" if explain_url else f"`{code}`"


def _words(count: int) -> str:
    return {2: "Two", 3: "Three"}.get(count, str(count))
