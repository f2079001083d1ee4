"""Linear as a source: one workspace, read and written with one key or OAuth token."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from pydantic import SecretStr

from backlint.connectors.contract import Capabilities, Check, Page, Reference, SourceFacts, Usage, Whereabouts
from backlint.connectors.linear import mapping, payloads, queries
from backlint.connectors.linear.client import LinearClient
from backlint.connectors.linear.diagnosis import Diagnosis
from backlint.connectors.linear.pulling import Pulling
from backlint.connectors.linear.registration import TeamHooks
from backlint.connectors.linear.rows import IssueRows, Row
from backlint.connectors.linear.stored import LinearStored
from backlint.connectors.linear.whole import WholeIssues
from backlint.connectors.linear.workspace import Workspace
from backlint.connectors.linear.writing import Writing
from backlint.connectors.mapping_digest import mapping_digest
from backlint.connectors.visible import visible
from backlint.errors import MalformedPayload, NotFound
from backlint.model import Comment, Issue, Person, Presence, Tracker
from backlint.settings import SourceSettings


class LinearConnector:
    """See the README beside this file for rights, settings and what is not supported."""

    tracker = Tracker.LINEAR
    capabilities = Capabilities(
        sprints=True, estimates=True, priorities=True, due_dates=True, labels_need_creation=True
    )

    def __init__(
        self,
        settings: SourceSettings,
        token: SecretStr,
        *,
        sleep: Callable[[float], None] = time.sleep,
        page: int = queries.PAGE,
    ) -> None:
        self.name = settings.name
        self.usage = Usage()
        self._settings = settings
        self._scope = settings.scope
        self._client = LinearClient(settings, token, usage=self.usage, sleep=sleep)
        self._workspace = Workspace(self._client, settings)
        self._rows = IssueRows(self._client, size=page)
        self._issues = WholeIssues(self._client, self._workspace)
        self._pulling = Pulling(self._client, self._workspace, self._rows, self._issues)
        self._writing = Writing(self._client, self._workspace)

    def close(self) -> None:
        self._client.close()

    def registrar(self) -> TeamHooks:
        return TeamHooks(self._client, self.scopes())

    # -- what there is ---------------------------------------------------------------------------------------------

    def diagnose(self) -> Sequence[Check]:
        return Diagnosis(self._client, self._workspace, self._scope).checks()

    def discover(self) -> SourceFacts:
        lists = self._workspace.lists(fresh=True)
        return SourceFacts(
            scopes=tuple(lists.teams.items()), statuses=lists.names.statuses.facts, types=lists.names.label_names
        )

    def scopes(self) -> Sequence[str]:
        teams = self._workspace.lists().teams
        wanted = dict.fromkeys(key for scope in self._scope for key in (teams if scope == "*" else (scope,)))
        return tuple(visible(wanted, self._workspace.require))

    def reference(self) -> Reference:
        lists = self._workspace.lists(fresh=True)
        return Reference(
            statuses=lists.names.statuses.facts,
            people=tuple(map(mapping.person, lists.people)),
            projects=lists.projects,
            sprints=tuple(lists.names.sprints.values()),
            types=lists.names.label_names,
            own_account=lists.viewer.id,
            account_name=lists.viewer.name,
            facts=lists.facts.json(),
            mapping=mapping_digest(self._settings),
        )

    def stored(self, facts: bytes, *, now: datetime) -> LinearStored:
        return LinearStored(self._settings, facts)

    def people_seen(self) -> Sequence[Person]:
        """Read again during a pull when an issue names what the lists do not."""
        return tuple(map(mapping.person, self._workspace.lists().people))

    # -- reading ---------------------------------------------------------------------------------------------------

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        return self._pulling.pull(scope, cursor)

    def census(self, scope: str) -> Iterator[Sequence[str]]:
        """250 ids in a request; trashed issues count as gone."""
        batch: list[str] = []
        for head in self._rows.heads({"team": {"key": {"eq": scope}}}):
            if not head.trashed:
                batch.append(head.id)
            if len(batch) == queries.LIST:
                yield batch
                batch = []
        yield batch

    def fetch(self, scope: str, ids: Sequence[str]) -> Iterator[Page]:
        return self._pulling.some(ids)

    def locate(self, issue: Issue) -> Whereabouts:
        """Linear says "not found" of deleted and of hidden issues alike; a team that is still visible decides."""
        try:
            found = self._client.ask(queries.WHERE, payloads.WhereAnswer, {"id": issue.id}).issue
        except NotFound:
            is_visible = issue.team is None or issue.team in self._workspace.lists().teams
            return Whereabouts.DELETED if is_visible else Whereabouts.UNREADABLE
        if found.trashed:
            return Whereabouts.DELETED
        return Whereabouts.PRESENT if found.team.key in self.scopes() else Whereabouts.MOVED

    def read(self, issue: Issue) -> Issue:
        answered = self._client.ask(queries.ISSUE, payloads.IssueAnswer, {"id": issue.id})
        page = self._issues.page([Row(answered.issue, None)])
        for problem in page.quarantined:
            raise MalformedPayload(problem.reason, issue=problem.issue, path=problem.path)
        found = page.issues[0].issue
        if found.presence is Presence.DELETED:
            raise NotFound(f"{self.name}: {found.key} is in Linear's trash")
        return found

    # -- writing ---------------------------------------------------------------------------------------------------

    def add_label(self, issue: Issue, label: str) -> None:
        self._writing.add_label(issue, label)

    def remove_label(self, issue: Issue, label: str) -> None:
        self._writing.remove_label(issue, label)

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        return self._writing.managed_comments(issue)

    def create_comment(self, issue: Issue, body: str, *, key: str) -> Comment:
        return self._writing.create_comment(issue, body, key=key)

    def update_comment(self, issue: Issue, comment: Comment, body: str) -> Comment:
        return self._writing.update_comment(comment, body)

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        self._writing.delete_comment(comment)
