"""Every table of the store. SQLite and PostgreSQL alike; times are UTC, constraint names follow one convention."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData, Table
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


UNSTORABLE = re.compile("[\ud800-\udfff\0]")


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC, whatever the database keeps."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text as a person wrote it, less what no database can hold: NUL and lone surrogates become U+FFFD."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value if value is None else storable(value)


def storable(text: str) -> str:
    """The text as `Words` keeps it."""
    return text if text.isascii() and "\0" not in text else UNSTORABLE.sub("\ufffd", text)


def _text(name: str, *, required: bool = False, **rest: Any) -> Column[str]:
    return Column(name, Words, nullable=not required, **rest)


def _key(name: str) -> Column[str]:
    return Column(name, Words, primary_key=True)


def _flag(name: str) -> Column[bool]:
    return Column(name, sa.Boolean, nullable=False, default=False)


def _of_issue() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["source", "issue"], ["issues.source", "issues.id"], ondelete="CASCADE")


sources = Table(
    "sources",
    metadata,
    _key("name"),
    _text("tracker", required=True),
    _text("own_account"),
    _text("account_name"),
    Column("watched_since", Instant),  # when the first pull began: what was over by then was not ours to ask about
)

# How far each scope was pulled. `is_complete` is false from the first request of a pull until its last page is saved.
scopes = Table(
    "scopes",
    metadata,
    _key("source"),
    _key("scope"),
    _text("cursor"),
    _flag("is_complete"),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    _text("problem"),
)

statuses = Table(
    "statuses",
    metadata,
    _key("source"),
    _key("id"),
    _text("name", required=True),
    _text("default_category", required=True),
)

people = Table(
    "people",
    metadata,
    _key("source"),
    _key("id"),
    _text("name", required=True),
    _text("handle"),
    Column("is_active", sa.Boolean),
    _flag("is_bot"),
    _text("email"),
    Column("left_on", sa.Date),
    Column("first_seen_at", Instant),
    Column("last_seen_at", Instant),
    Column("leave_until", sa.Date),
)

# One human across sources: rows with the same `identity` are the same person.
identities = Table("identities", metadata, _key("source"), _key("person"), _text("identity", required=True))

projects = Table(
    "projects",
    metadata,
    _key("source"),
    _key("id"),
    _text("name", required=True),
    _text("lead"),
    _text("body", required=True),
    _text("markup", required=True),
    Column("target_on", sa.Date),
)

sprints = Table(
    "sprints",
    metadata,
    _key("source"),
    _key("id"),
    _text("name", required=True),
    _text("state", required=True),
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("completed_at", Instant),
    _text("team"),
)

issues = Table(
    "issues",
    metadata,
    _key("source"),
    _key("id"),
    _text("scope", required=True),
    _text("tracker", required=True),
    _text("key", required=True),
    _text("url"),
    _text("project"),
    _text("team"),
    _text("type", required=True),
    _text("type_name"),
    _text("title", required=True),
    _text("body", required=True),
    _text("markup", required=True),
    _text("status_id", required=True),
    _text("status_name", required=True),
    _text("resolution"),
    Column("priority", sa.Integer),
    Column("estimate", sa.Float),
    _text("estimate_unit", required=True),
    Column("assignees", sa.JSON, nullable=False),
    Column("accountable", sa.JSON, nullable=False),
    _text("reporter"),
    _text("parent"),
    Column("checklist", sa.JSON, nullable=False),
    _text("rank"),
    Column("due_on", sa.Date),
    Column("review_on", sa.Date),
    Column("created_at", Instant),
    Column("updated_at", Instant),
    Column("history_is_complete", sa.Boolean, nullable=False),
    _flag("is_locked"),
    _flag("is_archived"),
    Column("unlisted_at", Instant),  # when it was last seen by its id though no list names it (Jira's archive)
    _text("presence", required=True),
    Column("fields", sa.JSON, nullable=False),
    _text("digest", required=True),  # of the normalised issue: equal means nothing to write
    Column("pulled_at", Instant, nullable=False),
    Index("ix_issues_source_scope", "source", "scope"),
    Index("ix_issues_source_id_digest_presence", "source", "id", "digest", "presence"),  # read whole by each check
)

aliases = Table("aliases", metadata, _key("source"), _key("alias"), _key("issue"), _of_issue())

labels = Table("labels", metadata, _key("source"), _key("issue"), _key("label"), _of_issue())

transitions = Table(
    "transitions",
    metadata,
    _key("source"),
    _key("issue"),
    Column("position", sa.Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("sequence", sa.BigInteger, nullable=False),
    _text("before_id", required=True),
    _text("before_name", required=True),
    _text("after_id", required=True),
    _text("after_name", required=True),
    _text("actor"),
    _flag("is_bot"),
    _of_issue(),
)

changes = Table(
    "changes",
    metadata,
    _key("source"),
    _key("issue"),
    Column("position", sa.Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("sequence", sa.BigInteger, nullable=False),
    _text("field", required=True),
    _text("before"),
    _text("after"),
    _text("actor"),
    _flag("is_bot"),
    _of_issue(),
)

comments = Table(
    "comments",
    metadata,
    _key("source"),
    _key("issue"),
    _key("id"),
    Column("position", sa.Integer, nullable=False),
    Column("at", Instant, nullable=False),
    _text("author"),
    _text("body", required=True),
    _text("markup", required=True),
    Column("edited_at", Instant),
    _flag("is_bot"),
    _flag("is_own"),
    Column("may_write", sa.Boolean),  # whether its author may change issues; None: the tracker does not say
    Column("thumbs_up", sa.Integer),
    Column("thumbs_down", sa.Integer),
    _flag("is_command"),
    Index("ix_comments_is_command", "source", "issue", sqlite_where=sa.text("is_command"),
          postgresql_where=sa.text("is_command")),
    _of_issue(),
)  # fmt: skip

sprint_memberships = Table(
    "sprint_memberships",
    metadata,
    _key("source"),
    _key("issue"),
    Column("position", sa.Integer, primary_key=True),
    _text("sprint", required=True),
    Column("added_at", Instant),
    Column("removed_at", Instant),
    _of_issue(),
)

links = Table(
    "links",
    metadata,
    _key("source"),
    _key("issue"),
    Column("position", sa.Integer, primary_key=True),
    _text("kind", required=True),
    _text("target", required=True),
    Column("at", Instant),
    _of_issue(),
    Index("ix_links_kind", "kind"),
)

# The payload each issue was made from, zlib-compressed JSON, so that a changed mapping needs no new pull.
payloads = Table(
    "payloads",
    metadata,
    _key("source"),
    _key("issue"),
    Column("body", sa.LargeBinary, nullable=False),
    Column("checksum", sa.BigInteger),  # CRC-32 of the JSON: equal means nothing to write
    _of_issue(),
)

# What mapping the payloads takes beyond them, as the last pull found it, and the settings they are mapped with.
mappings = Table(
    "mappings",
    metadata,
    _key("source"),
    Column("facts", sa.LargeBinary, nullable=False),  # zlib-compressed JSON of the connector's
    _text("mapping", required=True),  # digest of the settings; "": unknown, or not the same for all
    Column("unread", sa.JSON, nullable=False),  # fields that some payload does not hold
    Column("mapped_at", Instant),
)

quarantine = Table(
    "quarantine",
    metadata,
    _key("source"),
    _key("id"),  # as the census calls it
    _text("issue", required=True),  # as people call it
    _text("scope", required=True),
    _text("mapping", required=True),  # that could not read it
    _text("path", required=True),
    _text("reason", required=True),
    Column("raw", sa.LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
)

# A finding lives: opened, fixed, opened again. `is_baseline` findings were there when backlint came.
findings = Table(
    "findings",
    metadata,
    _key("fingerprint"),
    _text("source", required=True),
    _text("issue", required=True),
    _text("rule", required=True),
    _text("state", required=True),  # open | fixed
    _text("severity", required=True),
    Column("confidence", sa.Float, nullable=False),
    _text("message", required=True),
    _text("question"),
    Column("evidence", sa.JSON, nullable=False),
    _flag("is_baseline"),
    _text("waiver"),  # the id of the waiver in force
    _flag("was_near"),  # when it was opened: a baseline entry dies when its issue comes near
    _text("text_digest", required=True),  # of title and body when it was opened: ... or when a person edits them
    Column("opened_at", Instant, nullable=False),
    Column("fixed_at", Instant),
    _text("fixed_by"),  # edit: the rule passes now, after a person changed the issue | other
    Column("times_opened", sa.Integer, nullable=False),
    Index("ix_findings_source_issue", "source", "issue"),
)

finding_events = Table(
    "finding_events",
    metadata,
    Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("fingerprint", required=True, index=True),
    Column("at", Instant, nullable=False),
    _text("event", required=True),  # opened | fixed | reopened | waived | waiver expired | waiver ended
    _text("run", required=True),
)

# What rules said of each issue, until it may be different (`sync.verdicts`). Nothing is lost when rows are deleted.
verdicts = Table(
    "verdicts",
    metadata,
    _key("source"),
    _key("issue"),
    _text("digest", required=True),  # of the issue
    _text("facts", required=True),  # digest of what the backlog says of it
    Column("said", sa.LargeBinary, nullable=False),
    _of_issue(),
)

# The last check of everything: what it rested on. One row.
last_checks = Table(
    "last_checks",
    metadata,
    Column("id", sa.Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    _text("common", required=True),  # digest of rules, settings, people, projects
    _text("everything", required=True),  # digest of all that was read
)

# Lines that many issues of a kind share, learned from exactly the texts that the digest is of.
learned = Table(
    "learned",
    metadata,
    _key("source"),
    _key("project"),  # empty: none
    _key("type"),
    _text("digest", required=True),
    Column("lines", sa.JSON, nullable=False),
)

# What an audit found, for the change since: teams, backlogs and single issues.
scores = Table(
    "scores",
    metadata,
    _key("run"),
    _key("kind"),
    _key("name"),
    _text("rules_version", required=True),
    Column("at", Instant, nullable=False, index=True),
    Column("score", sa.Integer, nullable=False),
    Column("count", sa.Integer, nullable=False),
)

# The outbox: every write is a row before it is sent. wanted -> sent -> confirmed | failed | dropped; undone by `undo`.
writes = Table(
    "writes",
    metadata,
    _key("id"),
    _text("run", required=True, index=True),
    Column("position", sa.Integer, nullable=False),
    _text("source", required=True),
    _text("issue", required=True),
    _text("kind", required=True),
    _text("label"),
    _text("body"),
    Column("because", sa.JSON, nullable=False),  # rule codes
    _text("state", required=True),
    _text("comment"),  # the tracker's id of the comment
    _text("digest"),  # of the comment as the tracker stored it: another digest later means a person edited it
    _text("reason"),
    Column("wanted_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    Index("ix_writes_source_issue", "source", "issue"),
)

# A person took back what backlint wrote: it stays away while this row is in force.
overrides = Table(
    "overrides",
    metadata,
    _key("source"),
    _key("issue"),
    _key("subject"),  # a label, or "comment"
    Column("because", sa.JSON, nullable=False),
    Column("noticed_at", Instant, nullable=False),
)

# A rule or family that need not hold for an issue, a label, a project or a type. Those of the configuration stay there.
waivers = Table(
    "waivers",
    metadata,
    _key("id"),
    _text("rule", required=True),
    _text("about", required=True),
    _text("name", required=True),
    _text("source"),
    _text("reason", required=True),
    _text("author"),
    Column("made_at", Instant, nullable=False),
    Column("until", sa.Date, nullable=False),
    _text("via", required=True),
    Column("ended_at", Instant),
    _text("ended_by"),
)

# What people told us in comments: one row for each command line, read once.
commands = Table(
    "commands",
    metadata,
    _key("source"),
    _key("issue"),
    _key("comment"),
    Column("position", sa.Integer, primary_key=True),
    _text("digest", required=True),  # of the comment: an edited one is read again
    _text("author"),
    Column("at", Instant, nullable=False),
    _text("verb", required=True),
    Column("rules", sa.JSON, nullable=False),
    _text("reason", required=True),
    _text("outcome", required=True),  # done | refused | mistaken | withdrawn
    _text("answer", required=True),
    Column("read_at", Instant, nullable=False),
)

# What people said of findings, by word or deed. A finding is judged once, by the strongest of its rows.
feedback = Table(
    "feedback",
    metadata,
    _key("fingerprint"),
    Column("opening", sa.Integer, primary_key=True),  # which life of the finding: `findings.times_opened`
    _key("via"),  # command | page | thumbs | override | fix
    _key("actor"),  # "" where nobody is named
    _text("source", required=True),
    _text("issue", required=True),
    _text("project", required=True),
    _text("rule", required=True, index=True),
    _text("verdict", required=True),  # useful | wrong
    _flag("is_weak"),  # as likely about something else: counts half
    _text("reason", required=True),
    Column("at", Instant, nullable=False),
)

# Rules that people called wrong too often, by (source, project); "" is everywhere. Lifting one is a human act.
demotions = Table(
    "demotions",
    metadata,
    _key("source"),
    _key("project"),
    _key("rule"),
    _text("level", required=True),  # lowered | report only | none (lifted)
    Column("since", Instant, nullable=False),  # of the level; feedback from before counts no more once lifted
    Column("judged", sa.Integer, nullable=False),
    Column("wrong", sa.Float, nullable=False),
    Column("shown", sa.Integer, nullable=False),
    _text("lifted_by"),
)

# The lowest count of unwaived findings by (source, project, rule): it may not be exceeded.
ratchets = Table(
    "ratchets",
    metadata,
    _key("source"),
    _key("project"),
    _key("rule"),
    Column("mark", sa.Integer, nullable=False),
    _text("rules_version", required=True),
    Column("moved_at", Instant, nullable=False),
)

# Issues that passed a rule, drawn for a person to judge: how many findings does the rule miss?
recall_samples = Table(
    "recall_samples",
    metadata,
    _key("month"),
    _key("rule"),
    _key("source"),
    _key("issue"),
    Column("position", sa.Integer, nullable=False),
    Column("passed", sa.Integer, nullable=False),  # issues that the sample was drawn from
    Column("failed", sa.Integer, nullable=False),  # findings of the rule at that time
    Column("drawn_at", Instant, nullable=False),
    _text("answer"),  # right | missed | unclear
    _text("judged_by"),
    Column("judged_at", Instant),
)

# An issue as it was before it changed, zlib-compressed JSON: a change of the rules judges the earlier night anew.
former_issues = Table(
    "former_issues",
    metadata,
    _key("source"),
    _key("issue"),
    Column("replaced_at", Instant, primary_key=True),
    _text("scope", required=True),
    Column("body", sa.LargeBinary, nullable=False),
    Index("ix_former_issues_replaced_at", "replaced_at"),
)

runs = Table(
    "runs",
    metadata,
    _key("id"),
    _text("kind", required=True),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    _text("outcome"),  # done | failed; None: under way, or killed
    Column("facts", sa.JSON, nullable=False),
)

# Webhook deliveries by the tracker's own id: a repeat is recognised. `handled_at` None: not yet noted in `touched`.
deliveries = Table(
    "deliveries",
    metadata,
    _key("source"),
    _key("id"),
    _text("event", required=True),
    Column("issues", sa.JSON, nullable=False),
    Column("keys", sa.JSON),  # id -> key, where the tracker reads an issue by its key
    _text("actor"),
    Column("received_at", Instant, nullable=False),
    Column("handled_at", Instant),
    _text("outcome"),
    Index("ix_deliveries_handled_at", "handled_at"),
    Index("ix_deliveries_source_received_at", "source", "received_at"),
)

# Issues that webhooks named and that are to be looked at: however many deliveries, one row and one job at a time.
touched = Table(
    "touched",
    metadata,
    _key("source"),
    _key("issue"),
    _text("key"),
    _text("state", required=True),  # waiting | taken | dead
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),  # of the newest delivery
    Column("due_at", Instant, nullable=False),
    Column("deliveries", sa.Integer, nullable=False),
    Column("attempts", sa.Integer, nullable=False),
    _text("job"),  # that has taken it
    Column("taken_at", Instant),
    _text("reason"),  # why the last try failed or had to wait
    Index("ix_touched_state_due_at", "state", "due_at"),
)

# Processes that work: what a silent one had begun is taken over by the others.
executors = Table(
    "executors",
    metadata,
    _key("id"),
    _text("machine", required=True),
    Column("pid", sa.BigInteger, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
)

# -- flow, derived (sync/flow.py): everything below can be made again from the issues ----------------------------------

# Texts that records name by number, by kind.
flow_names = Table(
    "flow_names",
    metadata,
    Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("kind", required=True),
    _text("name", required=True),
    sa.UniqueConstraint("kind", "name"),
)

# One row for each issue: its record (backlint.flow.record), and what queries choose by. Moments are microseconds.
flow = Table(
    "flow",
    metadata,
    Column("row", sa.Integer, primary_key=True, autoincrement=True),
    _text("source", required=True),
    _text("issue", required=True),
    Column("source_name", sa.Integer, nullable=False),
    Column("team", sa.Integer, nullable=False, index=True),
    Column("project", sa.Integer, nullable=False, index=True),
    Column("prefix", sa.Integer, nullable=False, index=True),
    Column("reporter", sa.Integer, nullable=False),
    Column("created", sa.BigInteger, nullable=False),
    Column("parent", sa.Integer, nullable=False, index=True),
    Column("began", sa.BigInteger),  # where it can be the start of its parent
    Column("holds_from", sa.BigInteger, nullable=False, index=True),
    Column("episodes", sa.LargeBinary, nullable=False),
    Column("spans", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("source", "issue"),
    Index("ix_flow_reporter_created", "reporter", "created"),
    _of_issue(),
)

# Finished work with a cycle time: what expectations are made of. `team` is a name of kind "holder".
cycle_times = Table(
    "cycle_times",
    metadata,
    Column("row", sa.Integer, primary_key=True),
    Column("number", sa.Integer, primary_key=True),
    Column("team", sa.Integer, nullable=False),
    Column("type", sa.Integer, nullable=False),
    Column("finished", sa.BigInteger, nullable=False, index=True),
    Column("cycle", sa.BigInteger, nullable=False),
    Index("ix_cycle_times_team_finished", "team", "finished", "type", "cycle"),
    ForeignKeyConstraint(["row"], ["flow.row"], ondelete="CASCADE"),
)

# Who closed what when: many at once are housekeeping.
closes = Table(
    "closes",
    metadata,
    Column("row", sa.Integer, primary_key=True),
    Column("position", sa.Integer, primary_key=True),
    Column("actor", sa.Integer, nullable=False),
    Column("at", sa.BigInteger, nullable=False),
    Index("ix_closes_actor_at", "actor", "at", "row"),
    ForeignKeyConstraint(["row"], ["flow.row"], ondelete="CASCADE"),
)

# Issues whose record is to be made (again). Every save writes `since`, which keeps it apart from a record under way.
flow_stale = Table("flow_stale", metadata, _key("source"), _key("issue"), Column("since", sa.Integer, nullable=False))

# What the records of a source rest on: its statuses with their categories, and a digest of the options.
flow_basis = Table(
    "flow_basis",
    metadata,
    _key("source"),
    Column("statuses", sa.JSON, nullable=False),
    _text("options", required=True),
)

# What the last digest of each notification told of as open: the next one tells the difference.
notified = Table("notified", metadata, _key("name"), _key("fingerprint"), Column("at", Instant, nullable=False))

CHILDREN = (aliases, labels, transitions, changes, comments, sprint_memberships, links)
