"""What the managed comment says, and how an edit by a person is recognised. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from backlint.model import Comment, Judgement
from backlint.text.parse import parse

NOTHING_LEFT = "Nothing left to ask on this issue."


def render(questions: Sequence[Judgement], *, skip_label: str, explain_url: str = "") -> str:
    """The comment's Markdown for up to three questions; `NOTHING_LEFT` for none. No greeting, no names, no mentions."""
    if not questions:
        return NOTHING_LEFT
    first = (
        "One question on this issue:" if len(questions) == 1 else f"{_words(len(questions))} questions on this issue:"
    )
    lines = [f"- {each.question} ({_code(each.rule, explain_url)}: {_fact(each.message)})" for each in questions]
    return "\n".join([first, "", *lines, "", _closing(skip_label)])


def _closing(skip_label: str) -> str:
    return (
        f"Not needed here? Write `N/A – reason` in its place, or label the issue `{skip_label}`. "
        "Mistaken? Delete this comment or remove the label: neither comes back. "
        "Once the answers are in the issue, this comment says so."
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
