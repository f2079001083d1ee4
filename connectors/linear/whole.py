"""From rows to issues: fetch what did not fit beside them, map them, set aside what cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backlint.connectors.contract import Page, Pulled, Quarantined
from backlint.connectors.http import decode
from backlint.connectors.linear import mapping, payloads, queries
from backlint.connectors.linear.client import LinearClient
from backlint.connectors.linear.history import is_chain_broken
from backlint.connectors.linear.rows import Row
from backlint.connectors.linear.workspace import Workspace
from backlint.connectors.paging import Bookmarks
from backlint.errors import MalformedPayload

Nodes = dict[str, tuple[bytes, payloads.IssueNode]]  # by id: the payload as it came, and decoded
Wanted = tuple[str, str, str | None]  # issue id, connection, cursor behind what is there


class WholeIssues:
    def __init__(self, client: LinearClient, workspace: Workspace) -> None:
        self._client, self._workspace = client, workspace

    def page(self, rows: Sequence[Row]) -> Page:
        """Complete each issue, map it, and set aside what cannot be read."""
        set_aside: list[Quarantined] = []
        nodes: Nodes = {}
        for row in rows:
            self._keep(nodes, bytes(row.raw), set_aside, problem=row.problem)
        wanted = [(id, name, after) for id, (_, node) in nodes.items() for name, after in mapping.unfinished(node)]
        self._merge(nodes, wanted, set_aside)
        # Only a history that does not lead to the present status needs the spans as well.
        broken: list[Wanted] = [(id, "stateHistory", None) for id, (_, node) in nodes.items() if is_chain_broken(node)]
        self._merge(nodes, broken, set_aside)
        names = self._workspace.names_for([node for _, node in nodes.values()])
        pulled = tuple(Pulled(mapping.issue(node, names), raw) for raw, node in nodes.values())
        return Page(issues=pulled, quarantined=tuple(set_aside), cursor="")

    def _merge(self, nodes: Nodes, wanted: list[Wanted], set_aside: list[Quarantined]) -> None:
        for id, parts in self._rest(wanted).items():
            if not self._keep(nodes, mapping.with_more(nodes[id][0], parts), set_aside):
                del nodes[id]

    def _keep(self, nodes: Nodes, raw: bytes, set_aside: list[Quarantined], *, problem: str | None = None) -> bool:
        """Whether the payload can be read; if not it is set aside."""
        id, called = payloads.called(raw)
        try:
            if problem is not None:
                said = f"{self._client.source} issue {called}: Linear says: {problem}"
                raise MalformedPayload(said, issue=called, path="$")
            node = decode(raw, payloads.IssueNode, issue=called, source=self._client.source)
        except MalformedPayload as malformed:
            told = Quarantined(
                id=id, issue=called, path=malformed.path, reason=str(malformed), raw=raw, is_given=problem is None
            )
            set_aside.append(told)
            return False
        nodes[node.id] = raw, node
        return True

    def _rest(self, wanted: list[Wanted]) -> dict[str, dict[str, list[Any]]]:
        """Issue id -> connection -> further nodes; many issues in one request, until nothing is left."""
        found: dict[str, dict[str, list[Any]]] = {}
        bookmarks = Bookmarks(self._client.source, "the rest of an issue")
        while wanted:
            batch, wanted = wanted[: queries.REST_ISSUES], wanted[queries.REST_ISSUES :]
            variables = {f"id{n}": id for n, (id, _, _) in enumerate(batch)}
            variables |= {f"after{n}": after for n, (_, _, after) in enumerate(batch) if after}
            answered = self._client.ask(
                queries.rest([name for _, name, _ in batch]), dict[str, payloads.RestPage], variables
            )
            for n, (id, name, _) in enumerate(batch):
                for node in answered[f"part{n}"].nodes:
                    part = node.connection(name)
                    found.setdefault(id, {}).setdefault(name, []).extend(part.nodes)
                    if part.pageInfo.hasNextPage:
                        bookmarks.turn_to((id, name, part.pageInfo.endCursor))
                        wanted.append((id, name, part.pageInfo.endCursor))
        return found
