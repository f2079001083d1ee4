"""Cycles in what blocks what: components without recursion, and the shortest cycle through a given node."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from backlint.model import LinkKind, Presence
from backlint.rules.rule import Context

Node = TypeVar("Node", bound=Hashable)
Identity = tuple[str, str]
Graph = Mapping[Identity, Mapping[Identity, bool]]  # True: the edge is only that a child must be done before its parent


def blocking_graph(context: Context) -> dict[Identity, dict[Identity, bool]]:
    """Who blocks whom among open issues, mirrors taken for one. A parent that blocks its child waits for it, too."""
    backlog = context.backlog
    alive = {each.identity for each in backlog.issues if each.is_open and each.presence is Presence.PRESENT}
    record = _records(context, alive)
    graph: dict[Identity, dict[Identity, bool]] = {}
    for issue in backlog.issues:
        for link in issue.links if issue.identity in alive else ():
            if link.kind not in (LinkKind.BLOCKS, LinkKind.BLOCKED_BY):
                continue
            other = backlog.linked(issue, link.target)
            if other is None or other.identity not in alive:
                continue
            blocker, blocked = (issue, other) if link.kind is LinkKind.BLOCKS else (other, issue)
            start, end = record.get(blocker.identity, blocker.identity), record.get(blocked.identity, blocked.identity)
            if start == end and blocker is not blocked:
                continue  # an issue and its own mirror
            graph.setdefault(start, {})[end] = False
            if backlog.parent(blocked) is blocker:
                graph.setdefault(end, {}).setdefault(start, True)
    return graph


def _records(context: Context, alive: set[Identity]) -> dict[Identity, Identity]:
    """Mirrored issues -> the one of their group that stands for all."""
    above: dict[Identity, Identity] = {}

    def top(one: Identity) -> Identity:
        while (parent := above.get(one, one)) != one:
            above[one] = above.get(parent, parent)
            one = parent
        return one

    for issue in context.backlog.issues:
        for link in issue.links:
            other = context.backlog.linked(issue, link.target) if link.kind is LinkKind.MIRRORS else None
            if other is not None and issue.identity in alive and other.identity in alive:
                first, second = sorted((top(issue.identity), top(other.identity)))
                above[second] = first
    return {each: top(each) for each in above}


def components(graph: Mapping[Node, Mapping[Node, bool]]) -> Iterator[list[Node]]:
    """The strongly connected components with a cycle (Tarjan's algorithm with a stack of its own)."""
    order: dict[Node, int] = {}
    low: dict[Node, int] = {}
    waiting: list[Node] = []
    is_waiting: set[Node] = set()
    for root in graph:
        if root in order:
            continue
        path: list[tuple[Node, Iterator[Node]]] = []

        def enter(node: Node, path: list[tuple[Node, Iterator[Node]]] = path) -> None:
            order[node] = low[node] = len(order)
            waiting.append(node)
            is_waiting.add(node)
            path.append((node, iter(graph.get(node, ()))))

        enter(root)
        while path:
            node, following = path[-1]
            for other in following:
                if other not in order:
                    enter(other)
                    break
                if other in is_waiting:
                    low[node] = min(low[node], order[other])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == order[node]:
                    found = _taken(waiting, is_waiting, node)
                    if len(found) > 1 or node in graph.get(node, ()):
                        yield found


def _taken(waiting: list[Node], is_waiting: set[Node], until: Node) -> list[Node]:
    found: list[Node] = []
    while not found or found[-1] != until:
        found.append(waiting.pop())
        is_waiting.discard(found[-1])
    return found


def shortest_cycle(graph: Mapping[Node, Mapping[Node, bool]], start: Node, within: Sequence[Node]) -> list[Node]:
    """From the start back to it by the fewest edges, in the order of `within` where several are as short."""
    place = {node: number for number, node in enumerate(within)}
    came_from: dict[Node, Node] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for other in sorted((each for each in graph.get(node, ()) if each in place), key=place.__getitem__):
            if other == start:
                return _path(came_from, start, node)
            if other not in came_from:
                came_from[other] = node
                queue.append(other)
    raise ValueError("no cycle leads through the start")


def _path(came_from: Mapping[Node, Node], start: Node, last: Node) -> list[Node]:
    path = [last]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]
