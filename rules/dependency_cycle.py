"""BLK004: issues wait for each other in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Link, LinkKind, Severity, StatusCategory
from backlint.rules.dependency_graph import Graph, blocking_graph, components, shortest_cycle
from backlint.rules.evidence import of_value
from backlint.rules.order import by_key
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule

SHOWN = 6  # keys in the message


def blocking(id: str, *blocked: str, **given: object) -> Issue:
    links = tuple(Link(LinkKind.BLOCKS, each) for each in blocked)
    return an_issue(**{"id": id, "links": links, **given})


@dataclass(frozen=True, slots=True)
class Cycle:
    """The shortest cycle of a component through its smallest key; `reported_on` carries the finding."""

    issues: tuple[Issue, ...]
    members: tuple[Issue, ...]
    by_hierarchy: bool  # one edge is only that a parent waits for its child

    @property
    def reported_on(self) -> Issue:
        return self.issues[0]


class DependencyCycle(Rule):
    """Issues block each other in a circle.

    Why it matters: none of them can be finished before the others, so that none ever is by the rules of the board.

    How to fix: find the link that is wrong, or cut off the part that can go first.

    Severity: near as soon as one of the issues is near.

    Not flagged: paths that only meet again; circles through a closed issue; links that say "relates to" or
    "duplicates". The mirrors of an issue in other trackers count as that issue. One finding for each group of
    issues, on the one with the smallest key, with the shortest circle through it.
    """

    code = "BLK004"
    name = "dependency-cycle"
    label = "blocked-check"
    severity = Severity.ERROR
    severity_far = Severity.INFO
    question = "Which link is wrong?"
    waits_for_triage = True
    dimension = "flow"

    types: frozenset[IssueType] = EVERY_TYPE

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        cycle = context.of_backlog("BLK004", lambda: _cycles(context)).get(issue.identity)
        if cycle is None:
            return
        if cycle.reported_on is not issue:
            yield self.ok(issue, f"part of the circle that {cycle.reported_on.key} is flagged for")
            return
        is_near = any(context.is_near(member) for member in cycle.members)
        yield self.fail(
            issue,
            context,
            _message(cycle),
            severity=self.severity if is_near else self.severity_far,
            evidence=[of_value("F", "links", each.key) for each in cycle.issues[:SHOWN]],
            discriminator=",".join(sorted(":".join(member.identity) for member in cycle.members)),
        )

    flagged = (
        Example(
            "two issues that block each other",
            blocking("1", "2", category=StatusCategory.TODO),
            others=(blocking("2", "1"),),
            severity=Severity.ERROR,
            evidence="DEMO-2",
        ),
        Example(
            "three issues across two trackers",
            blocking("1", "2", url="https://example.com/DEMO-1"),
            others=(
                blocking("2", links=(Link(LinkKind.MIRRORS, "https://example.com/ENG-5"),)),
                blocking("5", "6", source="other", key="ENG-5", url="https://example.com/ENG-5"),
                an_issue(
                    id="6",
                    source="other",
                    key="ENG-6",
                    links=(Link(LinkKind.BLOCKS, "7"),),
                ),
                an_issue(
                    id="7",
                    source="other",
                    key="ENG-7",
                    links=(Link(LinkKind.MIRRORS, "https://example.com/DEMO-1"),),
                    url="https://example.com/ENG-7",
                ),
            ),
            severity=Severity.INFO,
        ),
        Example("an issue that blocks itself", blocking("1", "1")),
        Example(
            "a parent that blocks its own child",
            blocking("1", "2", type=IssueType.EPIC),
            others=(an_issue(id="2", parent="1"),),
        ),
        Example(
            "one of them is far, the other near",
            blocking("1", "2"),
            others=(blocking("2", "1", category=StatusCategory.ACTIVE),),
            severity=Severity.ERROR,
        ),
    )
    passed = (
        Example(
            "paths that meet again",
            blocking("1", "2", "3"),
            others=(blocking("2", "4"), blocking("3", "4"), an_issue(id="4")),
        ),
        Example(
            "a circle through a closed issue",
            blocking("1", "2"),
            others=(blocking("2", "1", category=StatusCategory.DONE),),
        ),
        Example("the other one carries the finding", blocking("2", "1"), others=(blocking("1", "2"),)),
        Example(
            "both sides name the same link",
            blocking("1", "2"),
            others=(an_issue(id="2", links=(Link(LinkKind.BLOCKED_BY, "1"),)),),
        ),
        Example(
            "related, not blocked",
            an_issue(links=(Link(LinkKind.RELATES, "2"),)),
            others=(an_issue(id="2", links=(Link(LinkKind.RELATES, "1"),)),),
        ),
    )


def _cycles(context: Context) -> Mapping[tuple[str, str], Cycle]:
    graph = blocking_graph(context)
    known = context.backlog.by_identity
    found: dict[tuple[str, str], Cycle] = {}
    for component in components(graph):
        members = sorted((known[each] for each in component), key=by_key)
        names = [member.identity for member in members]
        path = shortest_cycle(graph, names[0], names)
        cycle = Cycle(tuple(known[each] for each in path), tuple(members), _has_hierarchy(graph, path))
        found.update(dict.fromkeys(names, cycle))
    return found


def _has_hierarchy(graph: Graph, path: Sequence[tuple[str, str]]) -> bool:
    return any(graph[one][other] for one, other in pairwise([*path, path[0]]))


def _message(cycle: Cycle) -> str:
    keys = [each.key for each in cycle.issues]
    if len(keys) == 1:
        return f"{keys[0]} blocks itself."
    if cycle.by_hierarchy and len(keys) == 2:
        return f"{keys[0]} and {keys[1]} wait for each other: a parent blocks its own child."
    shown = keys if len(keys) <= SHOWN else [*keys[: SHOWN - 1], f"({len(keys) - SHOWN + 1:,} more)"]
    return f"{' blocks '.join([*shown, keys[0]])}."
