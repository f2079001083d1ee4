"""Puts labels on and takes them off, and keeps the one comment; every call may be repeated without harm."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from backlint.connectors.contract import MARKER
from backlint.connectors.linear import mapping, payloads, queries
from backlint.connectors.linear.client import LinearClient
from backlint.connectors.linear.workspace import Workspace
from backlint.errors import NotFound, RequestRefused
from backlint.model import Comment, Issue

LABEL_COLOR = "#95a2b3"


class Writing:
    def __init__(self, client: LinearClient, workspace: Workspace) -> None:
        self._client, self._workspace = client, workspace

    # -- labels ----------------------------------------------------------------------------------------------------

    def add_label(self, issue: Issue, label: str) -> None:
        self._change_label(queries.ADD_LABEL, issue, label, wanted=True)

    def remove_label(self, issue: Issue, label: str) -> None:
        self._change_label(queries.REMOVE_LABEL, issue, label, wanted=False)

    def _change_label(self, document: str, issue: Issue, label: str, *, wanted: bool) -> None:
        """One label only, so that nobody's simultaneous edit is lost. A refusal is no error if all is as wanted."""
        before = self._client.ask(queries.LABELS_OF, payloads.LabelsOfAnswer, {"id": issue.id}).issue
        label_id = self._label_id(label, before.team.id or "", create=wanted)
        if label_id is None or (label_id in before.labelIds) is wanted:
            return
        try:
            self._client.ask(document, dict[str, Any], {"id": issue.id, "label": label_id})
        except RequestRefused:
            after = self._client.ask(queries.LABELS_OF, payloads.LabelsOfAnswer, {"id": issue.id}).issue
            if (label_id in after.labelIds) is not wanted:
                raise

    def _label_id(self, name: str, team_id: str, *, create: bool) -> str | None:
        """A label of the workspace before one of the team; names are not unique across teams."""
        nodes = self._client.ask(queries.LABELS_NAMED, payloads.LabelsNamedAnswer, {"name": name}).issueLabels.nodes
        usable = [each for each in nodes if each.retiredAt is None and (each.team is None or each.team.id == team_id)]
        usable.sort(key=lambda each: (each.name != name, each.team is not None))
        if usable:
            if usable[0].isGroup:
                raise RequestRefused(
                    f"{self._client.source}: the label {name!r} is a group in Linear and cannot be put on an issue; "
                    "rename it, or choose another write_back.label_prefix"
                )
            return usable[0].id
        return self._create_label(name, team_id) if create else None

    def _create_label(self, name: str, team_id: str) -> str:
        """For the whole workspace. The id is ours, so a repeat after a lost answer cannot make two."""
        id = str(uuid.uuid4())
        given = {"id": id, "name": name, "color": LABEL_COLOR, "description": mapping.LABEL_DESCRIPTION}
        try:
            self._client.ask(queries.CREATE_LABEL, dict[str, Any], {"input": given})
        except RequestRefused:
            found = self._label_id(name, team_id, create=False)  # somebody else, or our own lost request, made it
            if found is None:
                raise
            return found
        return id

    # -- the managed comment ---------------------------------------------------------------------------------------

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        given = {"id": issue.id, "marker": MARKER}
        answered = self._client.ask(queries.MANAGED_COMMENTS, payloads.CommentedAnswer, given)
        mapped = mapping.comments(answered.issue.comments.nodes, self._workspace.lists().names)
        return tuple(each for each in mapped if each.is_own)

    def create_comment(self, issue: Issue, body: str, *, key: str) -> Comment:
        """The comment's id is made from `key`; a second call gives the comment that is there."""
        id = comment_id(key)
        given = {"id": id, "issueId": issue.id, "body": mapping.marked(body), "doNotSubscribeToIssue": True}
        try:
            answered = self._client.ask(
                queries.CREATE_COMMENT, payloads.CreatedAnswer, {"input": given}, may_repeat=False
            )
        except RequestRefused:
            # What Linear answers to an id that exists is not published; whatever it is, the comment is looked up.
            there = self._comment(id, on=issue.id)
            if there is None:
                raise
            return there
        return self._mapped(answered.commentCreate.comment)

    def _comment(self, id: str, *, on: str) -> Comment | None:
        for each in self._client.ask(queries.COMMENT, payloads.CommentAnswer, {"id": id}).comments.nodes:
            if each.issue is not None and each.issue.id == on:
                return self._mapped(each)
        return None

    def _mapped(self, node: payloads.CommentNode) -> Comment:
        return mapping.comment(node, self._workspace.lists().names)

    def update_comment(self, comment: Comment, body: str) -> Comment:
        given = {"id": comment.id, "body": mapping.marked(body)}
        answered = self._client.ask(queries.UPDATE_COMMENT, payloads.UpdatedAnswer, given)
        return self._mapped(answered.commentUpdate.comment)

    def delete_comment(self, comment: Comment) -> None:
        try:
            self._client.ask(queries.DELETE_COMMENT, dict[str, Any], {"id": comment.id})
        except NotFound:
            return


def comment_id(key: str) -> str:
    """The key as a UUID of version 4, the only version that Linear takes."""
    return str(uuid.UUID(int=uuid.UUID(key).int, version=4))
