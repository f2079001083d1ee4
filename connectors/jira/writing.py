"""Writing back: labels one by one, and the one managed comment that can be found again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Raw

from backlint.connectors.http import decode
from backlint.connectors.jira import payloads
from backlint.connectors.jira.adf import markdown_to_adf
from backlint.connectors.jira.reading import all_comments
from backlint.connectors.jira.session import Session
from backlint.connectors.jira.values import LAST_LINE, PROPERTY, comment_from, own_comment_id
from backlint.connectors.jira.wiki_writer import markdown_to_wiki
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TrackerError
from backlint.model import Comment, Issue

LOG = logging.getLogger(__name__)

SERVICE_DESK = "service_desk"
# In Jira Service Management customers read comments unless this property says otherwise.
INTERNAL = {"key": "sd.public.comment", "value": {"internal": True}}
SILENCING = ("ADMINISTER_PROJECTS", "ADMINISTER")


class Writer:
    """Every request touches our own label or our own comment and nothing else."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._silent: dict[str, bool] = {}

    # -- labels ----------------------------------------------------------------------------------------------------

    def label(self, issue: Issue, verb: str, label: str) -> None:
        """`add` or `remove` one label; a `set` would overwrite what people changed meanwhile."""
        self._session.http.request(
            "PUT",
            f"{self._session.root}/issue/{issue.id}",
            may_repeat=True,
            params=self._quietly(issue),
            json={"update": {"labels": [{verb: label}]}},
        )

    def _quietly(self, issue: Issue) -> dict[str, str] | None:
        """Without mail to watchers, which only administrators may ask for; others are refused for asking."""
        project = issue.project or ""
        if project not in self._silent:
            self._silent[project] = self._session.is_cloud and self._may_silence(project)
        return {"notifyUsers": "false"} if self._silent[project] else None

    def _may_silence(self, project: str) -> bool:
        try:
            return any(self._session.permissions(SILENCING, project=project).values())
        except (NotFound, RequestRefused, PermissionMissing):
            return False

    # -- the comment -----------------------------------------------------------------------------------------------

    def managed(self, issue: Issue) -> list[Comment]:
        """By the id in the issue's property, by our last line, or by the comment's property; and by its author."""
        session = self._session
        read = [self._read(issue, raw) for raw in all_comments(session.http, session.root, issue.id)]
        mine = [each for each in read if each.author == session.account.id]
        known = self._known(issue) if mine else None
        marked = {each.id for each in mine if each.is_own or each.id == known}
        rest = [each.id for each in mine if each.id not in marked]
        marked |= set(self._with_property(rest))
        return [_as_own(each) for each in mine if each.id in marked]

    def create(self, issue: Issue, body: str, key: str) -> Comment:
        """The comment first, its id after that: a crash in between leaves a comment that its last line still marks."""
        properties = [{"key": PROPERTY, "value": {"v": 1, "key": key}}] if self._session.is_cloud else []
        if self._is_service_desk(issue):
            properties.append(INTERNAL)
        payload = {"body": self._body(body), **({"properties": properties} if properties else {})}
        answer = self._session.http.request("POST", self._path(issue), may_repeat=False, json=payload).content
        comment = _as_own(self._read(issue, Raw(answer)))
        self._remember(issue, {"v": 1, "comment": comment.id, "key": key})
        return comment

    def update(self, issue: Issue, comment: Comment, body: str) -> Comment:
        answer = self._session.http.request(
            "PUT",
            f"{self._path(issue)}/{comment.id}",
            may_repeat=True,
            params=self._quietly(issue),
            json={"body": self._body(body)},
        )
        return _as_own(self._read(issue, Raw(answer.content)))

    def delete(self, issue: Issue, comment: Comment) -> None:
        http = self._session.http
        for path in (f"{self._path(issue)}/{comment.id}", self._property(issue)):
            try:
                http.request("DELETE", path, may_repeat=True)
            except NotFound:
                continue

    def _path(self, issue: Issue) -> str:
        return f"{self._session.root}/issue/{issue.id}/comment"

    def _property(self, issue: Issue) -> str:
        return f"{self._session.root}/issue/{issue.id}/properties/{PROPERTY}"

    def _body(self, markdown: str) -> Any:
        if self._session.is_cloud:
            return markdown_to_adf(markdown, last_line=LAST_LINE)
        return f"{markdown_to_wiki(markdown)}\n\n_{LAST_LINE}_"

    def _read(self, issue: Issue, raw: Raw) -> Comment:
        payload = decode(bytes(raw), payloads.Comment, issue=issue.key, source=self._session.name)
        return comment_from(payload, self._session.site)

    def _is_service_desk(self, issue: Issue) -> bool:
        project = self._session.project(issue.project) if issue.project else {}
        return project.get("projectTypeKey") == SERVICE_DESK

    def _remember(self, issue: Issue, value: dict[str, Any]) -> None:
        """The id spares a search; the comment can be found without it, so a refusal is no failure of the write."""
        try:
            self._session.jira.add_issue_property(issue.id, PROPERTY, value)
        except TrackerError as error:
            LOG.warning("%s: the property of issue %s was not written: %s", self._session.name, issue.key, error)

    def _known(self, issue: Issue) -> str | None:
        try:
            answer = self._session.get_object(self._property(issue))
        except NotFound:
            return None
        return own_comment_id(answer.get("value"))

    def _with_property(self, ids: Sequence[str]) -> Iterator[str]:
        """Which of these comments carry our property; Data Center has no way to ask for many."""
        if not ids or not self._session.is_cloud:
            return
        answer = self._session.http.request(
            "POST",
            f"{self._session.root}/comment/list",
            may_repeat=True,
            params={"expand": "properties"},
            json={"ids": [int(id) if id.isdigit() else id for id in ids]},
        ).content
        for each in msgspec.json.decode(answer).get("values", []):
            if any(found.get("key") == PROPERTY for found in each.get("properties") or ()):
                yield str(each["id"])


def _as_own(comment: Comment) -> Comment:
    return replace(comment, is_own=True)
