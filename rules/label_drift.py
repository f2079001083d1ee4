"""TAX001: labels that mean the same, that nobody uses, or that are not agreed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from backlint.examples import an_issue
from backlint.model import Issue, Judgement, Scope, ScopeKind, Severity
from backlint.rules.history import counted
from backlint.rules.rule import EXAMPLE_NOW, Context, Example, ScopeRule

LEAST_LETTERS = 6  # of labels that may differ by one letter (catalogue TAX001)
SHOWN = 3  # groups or labels in the message
_SEPARATORS = re.compile(r"[\s_./-]+")
_PREFIX = re.compile(r"^(?P<prefix>[^:/]+[:/]\s*)(?P<rest>.+)$")


def labelled(*labels: str, id: str = "1", days: float = 30) -> Issue:
    at: datetime = EXAMPLE_NOW - timedelta(days=days)
    return an_issue(id=id, labels=frozenset(labels), created_at=at)


def many(count: int, *labels: str, first: int = 100) -> tuple[Issue, ...]:
    return tuple(labelled(*labels, id=str(number)) for number in range(first, first + count))


class LabelDrift(ScopeRule):
    """Labels of a project look alike, are hardly used, or are not agreed.

    Why it matters: whoever filters by one of them misses the issues that carry the other.

    How to fix: decide which one stays, and merge. backlint never does that.

    Not flagged: labels whose digits differ (P1, P2); short labels that differ by a letter; families with a common
    prefix (area:api, area:app); labels younger than half a year, which may still be taken up; small projects, in
    which every label is rare; our own labels.
    """

    code = "TAX001"
    name = "label-drift"
    severity = Severity.INFO
    question = "Which one stays?"
    judges = ScopeKind.PROJECT

    allowed: tuple[str, ...] = ()  # the agreed labels, * for any ending (area:*); empty: any label may be used
    rare_uses: int = 2  # a label on so few issues in `rare_days` is hardly used (catalogue TAX001)
    rare_days: int = 180  # catalogue TAX001
    rare_sample: int = 50  # labelled issues in that time before "rare" means anything; the number is ours
    own_prefix: str = "hygiene:"  # of our own labels

    def check_scopes(self, context: Context) -> Iterator[Judgement]:
        for project, issues in context.backlog.scopes.projects.items():
            uses = _uses(issues, self.own_prefix)
            if not uses:
                yield self.not_applicable(project, "no labels")
                continue
            found = tuple(self._of_project(project, uses, context))
            yield from found or (self.ok(project, f"{len(uses)} labels"),)

    def _of_project(self, project: Scope, uses: Mapping[str, Sequence[Issue]], context: Context) -> Iterator[Judgement]:
        groups = look_alikes({label: len(issues) for label, issues in uses.items()})
        if groups:
            shown = "; ".join(", ".join(f"'{label}'" for label in group) for group in groups[:SHOWN])
            message = f"{shown} look alike{_more(len(groups))}."
            yield self.fail(project, context, message, discriminator="look-alikes")
        rare = list(self._rare(uses, context.now))
        if rare:
            seldom = f"at most {self.rare_uses} times in {self.rare_days} days"
            were = f"{counted(len(rare), 'label')} {'was' if len(rare) == 1 else 'were'}"
            message = f"{were} used {seldom}: {_quoted(rare)}."
            yield self.fail(project, context, message, question="Can they go?", discriminator="rare")
        patterns = [pattern.casefold() for pattern in self.allowed]
        foreign = [label for label in uses if not any(fnmatchcase(label.casefold(), each) for each in patterns)]
        if patterns and foreign:
            are = f"{counted(len(foreign), 'label')} {'is' if len(foreign) == 1 else 'are'}"
            message = f"{are} not agreed: {_quoted(sorted(foreign))}."
            question = "Which agreed label do they stand for?"
            yield self.fail(project, context, message, question=question, discriminator="allowed")

    def _rare(self, uses: Mapping[str, Sequence[Issue]], now: datetime) -> Iterator[str]:
        """Labels that have been there for longer than the window and were hardly put on anything in it."""
        since = now - timedelta(days=self.rare_days)
        recent = {label: [each for each in issues if _is_since(each, since)] for label, issues in uses.items()}
        if len({issue.identity for issues in recent.values() for issue in issues}) < self.rare_sample:
            return
        for label in sorted(uses):
            is_old = any(each.created_at is not None and each.created_at < since for each in uses[label])
            if is_old and len(recent[label]) <= self.rare_uses:
                yield label

    flagged = (
        Example(
            "three spellings",
            labelled("front-end"),
            others=(labelled("frontend", id="2"), labelled("Front End", id="3")),
            severity=Severity.INFO,
        ),
        Example("a letter is missing", labelled("kubernetes"), others=(labelled("kuberntes", id="2"),)),
        Example("one and many", labelled("customer"), others=(labelled("customers", id="2"),)),
        Example("used once in half a year", labelled("legacy", days=400), others=many(60, "backend")),
        Example("not agreed", labelled("backend", "misc"), options={"allowed": ["backend", "area:*"]}),
    )
    passed = (
        Example("priorities", labelled("P1"), others=(labelled("P2", id="2"),)),
        Example("short names", labelled("iOS"), others=(labelled("IoT", id="2"),)),
        Example("a family", labelled("area:api"), others=(labelled("area:app", id="2"),)),
        Example("versions", labelled("release-2.10"), others=(labelled("release-2.11", id="2"),)),
        Example("a small project", labelled("legacy", days=400), others=many(5, "backend")),
        Example("a new label", labelled("experiment"), others=many(60, "backend")),
    )
    declined = (
        Example("no labels", an_issue()),
        Example("only our own", labelled("hygiene:stale")),
    )


def _uses(issues: Iterable[Issue], own_prefix: str) -> dict[str, list[Issue]]:
    found: dict[str, list[Issue]] = defaultdict(list)
    for issue in issues:
        for label in issue.labels:
            if not label.casefold().startswith(own_prefix.casefold()):
                found[label].append(issue)
    return found


def look_alikes(counts: Mapping[str, int]) -> list[list[str]]:
    """Groups of labels that look alike, the most used first in each; groups by their most used label.

    Labels one letter apart share the form that is left when one letter is taken out of each, so that no label is
    compared with all others.
    """
    above: dict[str, str] = {label: label for label in counts}

    def top(label: str) -> str:
        while above[label] != label:
            above[label] = above[above[label]]
            label = above[label]
        return label

    seen: dict[tuple[str, ...], str] = {}
    for label in sorted(counts):
        for form in _forms(label):
            above[top(label)] = top(seen.setdefault(form, label))
    groups: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        groups[top(label)].append(label)
    ordered = [sorted(group, key=lambda each: (-counts[each], each)) for group in groups.values() if len(group) > 1]
    return sorted(ordered, key=lambda group: (-counts[group[0]], group[0]))


def _forms(label: str) -> Iterator[tuple[str, ...]]:
    """What another label must share to look alike: the plain form, or one letter less of a long one.

    The prefix of a family and all digits have to be equal.
    """
    folded = label.casefold().strip()
    family = _PREFIX.match(folded)
    prefix, rest = (family["prefix"].strip(), family["rest"]) if family else ("", folded)
    plain = _SEPARATORS.sub("", rest) or rest
    singular = plain[:-1] if len(plain) > 3 and plain.endswith("s") and not plain.endswith("ss") else plain
    # Separators between digits count: 2.10 is not 21.0.
    numbers = ".".join(re.findall(r"\d+", rest))
    yield prefix, numbers, singular
    if sum(each.isalpha() for each in plain) >= LEAST_LETTERS:
        yield prefix, numbers, "one letter less", plain
        for place, letter in enumerate(plain):
            if not letter.isdigit():
                yield prefix, numbers, "one letter less", plain[:place] + plain[place + 1 :]


def _is_since(issue: Issue, since: datetime) -> bool:
    at = issue.updated_at or issue.created_at
    return at is not None and at >= since


def _quoted(labels: Sequence[str]) -> str:
    shown = ", ".join(f"'{label}'" for label in labels[:SHOWN])
    return f"{shown}{_more(len(labels))}"


def _more(count: int) -> str:
    return f" (and {count - SHOWN} more)" if count > SHOWN else ""
