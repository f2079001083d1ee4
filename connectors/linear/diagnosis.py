"""What `backlint doctor` finds out about a Linear workspace. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from backlint.connectors.contract import Check, Level
from backlint.connectors.linear import queries
from backlint.connectors.linear.client import LinearClient
from backlint.connectors.linear.workspace import Lists, Workspace
from backlint.errors import NotFound, PermissionMissing, TokenRefused, TrackerError
from backlint.model import StatusCategory

NOBODY = "00000000-0000-4000-8000-000000000000"  # no such issue, comment or label: a probe that changes nothing
LARGEST_SKEW = timedelta(seconds=30)  # webhooks older than 60 s are refused


class Diagnosis:
    def __init__(self, client: LinearClient, workspace: Workspace, scope: Sequence[str]) -> None:
        self._client, self._workspace, self._scope = client, workspace, scope

    def checks(self) -> Sequence[Check]:
        try:
            lists = self._workspace.lists(fresh=True)
        except TokenRefused as problem:
            remedy = "Linear, Settings, Security & access: make a personal API key, or renew the OAuth token"
            return (Check("token", Level.BAD, str(problem), remedy),)
        except PermissionMissing as problem:
            return (Check("read", Level.BAD, str(problem), "give the key the permission Read"),)
        return (
            Check("token", Level.GOOD, f"belongs to {lists.viewer.name} in {lists.organization}"),
            self._clock_check(),
            *(self._team_check(scope, lists.teams) for scope in self._scope if scope != "*"),
            self._write_check("labels", queries.ADD_LABEL, {"id": NOBODY, "label": NOBODY}),
            self._write_check("comment", queries.DELETE_COMMENT, {"id": NOBODY}),
            self._status_check(lists),
        )

    def _clock_check(self) -> Check:
        off = self._client.skew.total_seconds()
        if abs(off) <= LARGEST_SKEW.total_seconds():
            return Check("clock", Level.GOOD, "agrees with Linear's")
        return Check(
            "clock",
            Level.WARNING,
            f"{abs(off):.0f} s {'behind' if off > 0 else 'ahead of'} Linear's",
            "set this machine's clock: webhooks more than 60 s off are refused",
        )

    def _team_check(self, key: str, teams: Mapping[str, str]) -> Check:
        if key in teams:
            return Check(f"team {key}", Level.GOOD, f"{teams[key]} can be read")
        problem = str(self._workspace.no_such_team(key))
        return Check(f"team {key}", Level.BAD, problem, "correct the scope, or add the account to the team")

    def _write_check(self, what: str, document: str, variables: Mapping[str, str]) -> Check:
        """Asks for a change of something that does not exist: "not found" comes after the permission [not verified]."""
        name = f"write {what}"
        try:
            self._client.ask(document, dict[str, Any], variables)
        except NotFound:
            return Check(name, Level.GOOD, "allowed")
        except (PermissionMissing, TokenRefused) as problem:
            remedy = "give the key the permission Write (OAuth scope write); not needed while write_back.mode is off"
            return Check(name, Level.WARNING, str(problem), remedy)
        except TrackerError as problem:
            return Check(name, Level.WARNING, f"cannot tell: {problem}", "try `backlint plan`, then one issue")
        return Check(name, Level.GOOD, "allowed")

    def _status_check(self, lists: Lists) -> Check:
        unmapped = [
            fact.name
            for fact in lists.names.statuses.facts
            if lists.names.statuses.status(fact.id).category is StatusCategory.UNKNOWN
        ]
        if not unmapped:
            return Check("statuses", Level.GOOD, f"{len(lists.names.statuses.facts)}, all with a category")
        return Check(
            "statuses", Level.WARNING, f"without a category: {', '.join(unmapped)}", "add them to [sources.statuses]"
        )
