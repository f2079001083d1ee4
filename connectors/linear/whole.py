"""From rows to issues: fetch what did not fit beside them, map them, set aside what cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from backlint.connectors.contract import Page, Pulled, Quarantined
from backlint.connectors.http import decode
from backlint.connectors.linear import mapping, payloads, queries
from backlint.connectors.linear.client import LinearClient
from backlint.connectors.linear.history import is_chain_broken
from backlint.connectors.linear.rows import Row
from backlint.connectors.linear.workspace import Workspace
from backlint.errors import MalformedPayload

Nodes = dict[str, tuple[bytes, payloads.IssueNode]]


class WholeIssues:
    def __init__(self, client: LinearClient, workspace: Workspace) -> None:
        self._client, self._workspace = client, workspace

    def page(self, rows: Sequence[Row]) -> Page:
        """Complete each issue, map it, and set aside what cannot be read."""
        quarantined: list[Quarantined] = []
        nodes: Nodes = {}
        for row in rows:
            raw = bytes(row.raw)
            try:
                node = self._node(raw, row.problem)
                nodes[node.id] = raw, node
            except MalformedPayload as problem:
                told = Quarantined(issue=problem.issue, path=problem.path, reason=str(problem), raw=raw)
                quarantined.append(told)
        whole = self._completed(nodes)
        names = self._workspace.names_for([node for _, node in whole.values()])
        pulled = tuple(Pulled(mapping.issue(node, names), raw) for raw, node in whole.values())
        return Page(issues=pulled, quarantined=tuple(quarantined), cursor="")

    def _node(self, raw: bytes, problem: str | None = None) -> payloads.IssueNode:
        title = msgspec.json.decode(raw, type=payloads.Title)
        issue = title.identifier or title.id or "?"
        if problem is not None:
            raise MalformedPayload(
                f"{self._client.source} issue {issue}: Linear says: {problem}", issue=issue, path="$"
            )
        return decode(raw, payloads.IssueNode, issue=issue, source=self._client.source)

    def _completed(self, nodes: Nodes) -> Nodes:
        """With everything that did not fit beside the issue: further history, comments, links, and spans if needed."""
        wanted = [(id, name, after) for id, (_, node) in nodes.items() for name, after in mapping.unfinished(node)]
        added = self._rest(wanted)
        whole = dict(nodes)
        for id, parts in added.items():
            raw = mapping.with_more(nodes[id][0], parts)
            whole[id] = raw, self._node(raw)
        broken = [id for id, (_, node) in whole.items() if node.stateHistory is None and is_chain_broken(node)]
        for id, parts in self._rest([(id, "stateHistory", None) for id in broken]).items():
            raw = mapping.with_more(whole[id][0], parts)
            whole[id] = raw, self._node(raw)
        return whole

    def _rest(self, wanted: list[tuple[str, str, str | None]]) -> dict[str, dict[str, list[Any]]]:
        """Issue id -> connection -> further nodes; many issues in one request, until nothing is left."""
        found: dict[str, dict[str, list[Any]]] = {}
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
                        wanted.append((id, name, part.pageInfo.endCursor))
        return found
