"""Cycles of blockers: all found, the shortest shown, however long the chains."""

from __future__ import annotations

import time
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from backlint.backlog import Backlog
from backlint.model import Issue, Judgement, Link, LinkKind, Verdict
from backlint.rules.dependency_cycle import DependencyCycle
from backlint.rules.dependency_graph import components, shortest_cycle
from backlint.rules.engine import fingerprint, judge
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.text.cache import TextCache
from tests.factory import an_issue

NODES = st.integers(0, 9)


def reachable(edges: set[tuple[int, int]], start: int) -> set[int]:
    found: set[int] = set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        following = {end for begin, end in edges if begin == node} - found
        found |= following
        waiting += following
    return found


@settings(max_examples=200, deadline=None)
@given(edges=st.sets(st.tuples(NODES, NODES), max_size=25))
def test_a_component_holds_exactly_those_that_reach_each_other(edges: set[tuple[int, int]]) -> None:
    graph = {node: {end: False for begin, end in edges if begin == node} for node in range(10)}
    reach = {node: reachable(edges, node) for node in range(10)}

    found = {frozenset(component) for component in components(graph)}

    assert found == {
        frozenset(other for other in range(10) if other in reach[node] and node in reach[other])
        for node in range(10)
        if node in reach[node]
    }


@settings(max_examples=200, deadline=None)
@given(edges=st.sets(st.tuples(NODES, NODES), max_size=25))
def test_the_cycle_shown_is_one_and_none_is_shorter(edges: set[tuple[int, int]]) -> None:
    graph = {node: {end: False for begin, end in edges if begin == node} for node in range(10)}
    for component in components(graph):
        start = min(component)
        path = shortest_cycle(graph, start, sorted(component))

        steps = [*pairwise(path), (path[-1], start)]
        assert path[0] == start
        assert set(steps) <= edges
        reached = {start}
        for _ in range(len(path) - 1):
            reached = {end for begin, end in edges if begin in reached}
            assert start not in reached


def blocking(count: int, *, closed: bool) -> tuple[Issue, ...]:
    """A chain in which each issue blocks the next; closed into a circle."""
    last = "0" if closed else str(count)
    return tuple(
        an_issue(id=str(n), links=(Link(LinkKind.BLOCKS, str(n + 1) if n + 1 < count else last),)) for n in range(count)
    )


def findings(issues: tuple[Issue, ...]) -> list[Judgement]:
    context = Context(now=EXAMPLE_NOW, backlog=Backlog(issues=issues, now=EXAMPLE_NOW), texts=TextCache())
    rule = DependencyCycle()
    judged = (each for issue in issues for each in judge(issue, [rule], context))
    return [each for each in judged if each.verdict is Verdict.FAIL]


def test_a_chain_of_thousands_is_no_cycle_and_no_recursion() -> None:
    assert findings(blocking(20_000, closed=False)) == []


def test_a_circle_of_thousands_is_one_finding_with_a_message_that_fits() -> None:
    (finding,) = findings(blocking(5_000, closed=True))

    assert finding.issue == "0"
    assert len(finding.message) < 200
    assert finding.message.endswith("(4,995 more) blocks DEMO-0.")


def test_one_finding_for_each_component_whatever_the_order() -> None:
    pairs = [an_issue(id=str(n), links=(Link(LinkKind.BLOCKS, str(n + 1 if n % 2 else n - 1)),)) for n in range(1, 21)]
    shuffled = pairs[:]
    Random(3).shuffle(shuffled)

    found, again = findings(tuple(pairs)), findings(tuple(shuffled))

    assert len(found) == 10
    assert {fingerprint(each) for each in found} == {fingerprint(each) for each in again}


def test_time_grows_with_the_number_of_links() -> None:
    def seconds(count: int) -> float:
        issues = blocking(count, closed=True)
        started = time.process_time()
        findings(issues)
        return time.process_time() - started

    seconds(100)
    few, many = seconds(2_000), seconds(16_000)

    assert many < 24 * max(few, 0.02)
