"""Every text of an issue as it is stored, and how something sensitive in it is reported without repeating it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from backlint.model import Evidence, Issue, Markup
from backlint.rules.evidence import MASK
from backlint.rules.secret_text import Sensitive, mark

MAX_FINDINGS = 20  # for one issue; whoever finds twenty reads the whole of it anyway


def places(issue: Issue) -> Iterator[tuple[str, str, bool]]:
    """Field, text, and whether offsets into it mean anything to a reader: an ADF text is JSON here."""
    yield "title", issue.title, True
    yield "body", issue.body, issue.markup is not Markup.ADF
    for comment in issue.comments:
        yield f"comments.{comment.id}", comment.body, comment.markup is not Markup.ADF
    for name, value in issue.fields.items():
        if isinstance(value, str):
            yield f"fields.{name}", value, issue.markup is not Markup.ADF
    for number, item in enumerate(issue.checklist, start=1):
        yield f"checklist.{number}", item.text, True


def sensitive(
    issue: Issue, find: Callable[[str], Iterable[Sensitive]], key: str
) -> Iterator[tuple[Sensitive, str, Evidence, str]]:
    """What was found, its field, masked evidence, and what tells it from others: a keyed mark, or its number."""
    everything = (
        (found, field, has_offsets) for field, text, has_offsets in places(issue) if text for found in find(text)
    )
    first = next(everything, None)
    if first is not None:
        yield from _told_apart(chain((first,), everything), key)


def _told_apart(
    everything: Iterable[tuple[Sensitive, str, bool]], key: str
) -> Iterator[tuple[Sensitive, str, Evidence, str]]:
    seen: set[str] = set()
    counted: Counter[tuple[str, str]] = Counter()
    for found, field, has_offsets in everything:
        counted[found.kind, field] += 1
        marked = mark(found.value, key)
        discriminator = f"{field}:{found.kind}:{marked or counted[found.kind, field]}"
        if discriminator in seen:
            continue
        seen.add(discriminator)
        # The end would tell its length, and invite cutting it out of the text.
        evidence = Evidence(
            kind="P", field=field, excerpt=MASK, start=found.start if has_offsets else None, note=marked or None
        )
        yield found, field, evidence, discriminator
        if len(seen) >= MAX_FINDINGS:
            return


def place_name(field: str) -> str:
    """A field as people call it."""
    head, _, rest = field.partition(".")
    return {
        "comments": "a comment",
        "fields": f"field {rest}",
        "checklist": "the checklist",
        "body": "the description",
    }.get(head, f"the {head}")
