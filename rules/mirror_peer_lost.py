"""SYN002: the mirror of an issue is gone."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Presence, Severity
from backlint.rules.evidence import of_value
from backlint.rules.mirrors import peers
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule

MIRROR = (Link(LinkKind.MIRRORS, "https://example.com/browse/PAY-9"),)


def peer(**given: object) -> Issue:
    values = {"id": "9", "key": "PAY-9", "source": "other", "url": "https://example.com/browse/PAY-9"}
    return an_issue(**{**values, **given})


class MirrorPeerLost(Rule):
    """The linked issue in the other tracker no longer exists.

    Why it matters: whoever follows the link ends nowhere, and believes that the other side is looked after.

    How to fix: remove the link, or link the issue that took its place.

    Not flagged: issues that were moved, which are found under their former key; trackers that could not be read;
    issues that may not be read any more, since a permission is no deletion; issues outside what is read.
    """

    code = "SYN002"
    name = "mirror-peer-lost"
    severity = Severity.INFO
    question = "Remove the link?"
    dimension = "consistency"

    types: frozenset[IssueType] = EVERY_TYPE

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        found = peers(issue, context)
        if not found:
            yield self.not_applicable(issue, "no mirror among the issues that are read")
            return
        for other in found:
            if other.presence is Presence.UNREADABLE:
                yield self.unknown(issue, f"{other.key} may not be read any more")
            elif other.presence is Presence.DELETED or other.is_archived:
                what = "no longer exists" if other.presence is Presence.DELETED else "was archived"
                evidence = [of_value("F", "links", other.key, note=other.presence.value)]
                message = f"Linked issue {other.key} {what}."
                yield self.fail(issue, context, message, evidence=evidence, discriminator=":".join(other.identity))

    flagged = (
        Example("deleted", an_issue(links=MIRROR), others=(peer(presence=Presence.DELETED),), severity=Severity.INFO),
        Example("archived while this one is open", an_issue(links=MIRROR), others=(peer(is_archived=True),)),
    )
    passed = (
        Example("still there", an_issue(links=MIRROR), others=(peer(),)),
        Example(
            "moved, and found under its new key",
            an_issue(links=(Link(LinkKind.MIRRORS, "PAY-9"),)),
            others=(peer(source="demo", key="SHOP-3", aliases=("PAY-9",)),),
        ),
    )
    declined = (
        Example("the tracker could not be read", an_issue(links=MIRROR)),
        Example("may not be read any more", an_issue(links=MIRROR), others=(peer(presence=Presence.UNREADABLE),)),
        Example("no mirror", an_issue()),
    )
