"""What checks found out, kept until it may be different: a check after a few changes judges little more than those.

A rule's verdicts on an issue are kept with what they rest on. They hold while the rules and their options, the issue,
and what the backlog says about it (near or far, its team's habits, its template ...) are the same, until the first
moment at which a question about the time would be answered differently. Verdicts for which other issues were looked at
hold only while no issue changed at all.
"""

from __future__ import annotations

import hashlib
import inspect
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

import backlint
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity, Verdict
from backlint.moment import Footing
from backlint.rules.engine import Said
from backlint.rules.rule import Context, Rule
from backlint.settings import Settings
from backlint.sync import tables as t
from backlint.sync.store import CHUNK, upsert
from backlint.text.templates import TemplateKey, Templates, template_key

Identity = tuple[str, str]
_SMALL = (t.sources, t.statuses, t.people, t.identities, t.projects)  # what verdicts rest on beside issues, read whole
_SEEN = frozenset({"last_seen_at"})  # changes with every pull; the one rule that reads it is asked each time


# -- what verdicts rest on ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a check reads, as digests: what all verdicts rest on, each issue, and all of it together."""

    common: str
    issues: Mapping[Identity, str]
    everything: str


def inputs(connection: Connection, settings: Settings, rules: Iterable[Rule]) -> Inputs:
    common = _digest(
        [_program(), settings.model_dump_json(), *map(of_rule, rules), *(_rows(connection, each) for each in _SMALL)]
    )
    columns = t.issues.c.source, t.issues.c.id, t.issues.c.digest, t.issues.c.presence
    issues = {
        (source, id): f"{presence}:{digest}"
        for source, id, digest, presence in connection.execute(sa.select(*columns).order_by(*columns[:2]))
    }
    return Inputs(
        common,
        issues,
        _digest(
            [common, _rows(connection, t.sprints), _rows(connection, t.people, without=frozenset())]
            + [f"{source}\0{id}\0{digest}" for (source, id), digest in issues.items()]
        ),
    )


def _digest(parts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode("utf-8", "backslashreplace"))
        found.update(b"\1")
    return found.hexdigest()


def _rows(connection: Connection, table: sa.Table, *, without: frozenset[str] = _SEEN) -> str:
    columns = [column for column in table.c if column.name not in without]
    return repr([tuple(row) for row in connection.execute(sa.select(*columns).order_by(*table.primary_key.columns))])


@cache
def _program() -> str:
    """Of the program's own files: a changed rule, or a changed reading of texts, is another check."""
    files = sorted(Path(backlint.__file__).parent.rglob("*.py"))
    return _digest([backlint.__version__, *(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)])


def of_rule(rule: Rule) -> str:
    """With the file it comes from, which may be none of the program's own."""
    return f"{rule.code}\0{_ordered(rule.values)!r}\0{rule.ceiling}\0{_source(type(rule))}"


def _ordered(value: Any) -> Any:
    """The value with its sets in order, which differs from process to process."""
    if isinstance(value, Mapping):
        return [(name, _ordered(each)) for name, each in sorted(value.items())]
    return sorted(value) if isinstance(value, (set, frozenset)) else value


def _source(kind: type[Rule]) -> str:
    """Empty for the program's own rules, which `_program` covers."""
    if kind.__module__.startswith(f"{backlint.__name__}."):
        return ""
    try:
        return inspect.getsource(inspect.getmodule(kind) or kind)
    except (OSError, TypeError):
        return kind.__qualname__


# -- the verdicts of one issue -----------------------------------------------------------------------------------------

_Evidence = tuple[str, str, str, int | None, int | None, float, str | None]
_Verdict = tuple[str, str, str, str | None, str, list[_Evidence], float, str]
_Said = tuple[str, datetime | None, bool, list[_Verdict]]
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[_Said])
_SEVERITIES = {severity.value: severity for severity in Severity}
_VERDICTS = {verdict.value: verdict for verdict in Verdict}


def packed(said: Iterable[Said]) -> bytes:
    """What rules said of one issue; what the engine declined in their stead is left out."""
    rows = [
        (
            each.rule,
            each.footing.until,
            each.footing.on_others,
            [
                (
                    verdict.verdict._value_,
                    verdict.severity._value_,
                    verdict.message,
                    verdict.question,
                    verdict.reason,
                    [msgspec.structs.astuple(evidence) for evidence in verdict.evidence],
                    verdict.confidence,
                    verdict.discriminator,
                )
                for verdict in each.verdicts
            ],
        )
        for each in said
        if each.footing is not None
    ]
    return _ENCODER.encode(rows)


def _evidence(
    kind: str, field: str, excerpt: str, start: int | None, end: int | None, confidence: float, note: str | None
) -> Evidence:
    return Evidence(kind=kind, field=field, excerpt=excerpt, start=start, end=end, confidence=confidence, note=note)


def unpacked(source: str, issue: str, blob: bytes) -> list[Said]:
    return [
        Said(
            rule,
            tuple(
                Judgement(
                    rule=rule,
                    source=source,
                    issue=issue,
                    verdict=_VERDICTS[verdict],
                    severity=_SEVERITIES[severity],
                    message=message,
                    question=question,
                    reason=reason,
                    evidence=tuple([_evidence(*each) for each in evidence]),
                    confidence=confidence,
                    discriminator=discriminator,
                )
                for verdict, severity, message, question, reason, evidence, confidence, discriminator in verdicts
            ),
            Footing(until, on_others),
        )
        for rule, until, on_others, verdicts in _DECODER.decode(blob)
    ]


# -- what earlier checks found -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    digest: str
    facts: str
    said: bytes


class Memory:
    """The verdicts of earlier checks while one is made, and what it adds.

    When nothing at all was changed since the last check of everything, verdicts that rest on other issues hold as well.
    """

    def __init__(
        self, inputs: Inputs, last: Mapping[str, Any] | None, rows: Mapping[Identity, _Row], *, is_whole: bool
    ) -> None:
        self.inputs = inputs
        self.is_whole = is_whole
        self._rows = rows
        self._kept: set[Identity] = set()
        self._is_known = last is not None
        self._is_unchanged = last is not None and last["everything"] == inputs.everything
        self._changes: list[dict[str, Any]] = []

    def of(self, issue: Issue, facts: str, *, now: datetime) -> Mapping[str, Said]:
        """What still holds of what was said of the issue, by rule."""
        row = self._rows.get(issue.identity)
        if row is None or row.facts != facts or row.digest != self.inputs.issues.get(issue.identity):
            return {}
        said = unpacked(issue.source, issue.id, zlib.decompress(row.said))
        return {each.rule: each for each in said if each.footing is not None and self._holds(each.footing, now)}

    def _holds(self, footing: Footing, now: datetime) -> bool:
        return (footing.until is None or footing.until > now) and (self._is_unchanged or not footing.on_others)

    def keep(self, issue: Issue, facts: str, said: Iterable[Said]) -> None:
        """Remember what was said of the issue in this check."""
        digest = self.inputs.issues.get(issue.identity)
        if digest is None:
            return
        # Other issues may be as the last check of everything found them, or not: a check of some cannot tell.
        is_sure = self.is_whole or self._is_unchanged
        self._kept.add(issue.identity)
        said = [each for each in said if each.footing is not None and (is_sure or not each.footing.on_others)]
        blob = zlib.compress(packed(said), 1)
        if self._rows.get(issue.identity) != _Row(digest, facts, blob):
            self._changes.append(
                {
                    "source": issue.source, "issue": issue.id, "digest": digest, "facts": facts, "said": blob,
                }
            )  # fmt: skip

    def save(self, connection: Connection, *, now: datetime) -> None:
        if not self.is_whole:
            if self._is_known:
                self._write(connection)
            return
        if not self._is_known:
            connection.execute(sa.delete(t.verdicts))
        for source, issue in self._rows.keys() - self._kept:
            forget(connection, source, issue)
        self._write(connection)
        row = {"id": 1, "at": now, "common": self.inputs.common, "everything": self.inputs.everything}
        upsert(connection, t.last_checks, [row])

    def _write(self, connection: Connection) -> None:
        for start in range(0, len(self._changes), CHUNK):
            upsert(connection, t.verdicts, self._changes[start : start + CHUNK])


def remember(connection: Connection, inputs: Inputs, *, now: datetime, is_whole: bool) -> Memory:
    """What earlier checks with the same rules found; nothing of a check that was later than this one.

    `is_whole` says that this is a check of everything.
    """
    last = connection.execute(sa.select(t.last_checks)).mappings().first()
    if last is None or last["common"] != inputs.common or last["at"] > now:
        return Memory(inputs, None, {}, is_whole=is_whole)
    columns = (t.verdicts.c[name] for name in ("source", "issue", "digest", "facts", "said"))
    rows = {
        (source, issue): _Row(digest, facts, said)
        for source, issue, digest, facts, said in connection.execute(sa.select(*columns))
    }
    return Memory(inputs, dict(last), rows, is_whole=is_whole)


def forget(connection: Connection, source: str, issue: str) -> None:
    """The stored issue was changed by ourselves: what was said of it no longer holds."""
    connection.execute(sa.delete(t.verdicts).where(t.verdicts.c.source == source, t.verdicts.c.issue == issue))


class Facts:
    """Digests of what the backlog says of an issue: verdicts rest on it as they rest on the issue."""

    def __init__(self, context: Context, templates: Callable[[TemplateKey], Templates]) -> None:
        self._context = context
        self._templates = templates
        self._sources: dict[str, str] = {}
        self._keys: dict[TemplateKey, str] = {}

    def __call__(self, issue: Issue) -> str:
        source, key = issue.source, template_key(issue)
        if source not in self._sources:
            self._sources[source] = _digest([repr(self._context.backlog.surroundings(source))])
        if key not in self._keys:
            self._keys[key] = _digest(sorted(self._templates(key).lines))
        level = self._context.service_level(issue)
        return _digest(
            [self._sources[source], self._keys[key], repr(self._context.backlog.standing(issue)), repr(level)]
        )[:24]


# -- templates ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lessons:
    """What templates are learned from, by source, project and type: a digest of the texts, and what was learned."""

    digests: Mapping[TemplateKey, str]
    known: Mapping[TemplateKey, Templates]


NO_LESSONS = Lessons({}, {})


def lessons(connection: Connection, inputs: Inputs, issues: Iterable[Issue]) -> Lessons:
    """The templates that were learned from exactly these issues before."""
    members: dict[TemplateKey, list[Issue]] = {}
    for issue in issues:
        members.setdefault(template_key(issue), []).append(issue)
    digests = {
        key: _digest(f"{issue.source}\0{issue.id}\0{inputs.issues.get(issue.identity)}" for issue in group)
        for key, group in members.items()
    }
    known = {}
    for row in connection.execute(sa.select(t.learned)):
        key = row.source, row.project or None, IssueType(row.type)
        if digests.get(key) == row.digest:
            known[key] = Templates(frozenset(row.lines))
    return Lessons(digests, known)


def save_lessons(connection: Connection, lessons: Lessons, learned: Mapping[TemplateKey, Templates]) -> None:
    rows = [
        {
            "source": key[0], "project": key[1] or "", "type": key[2].value, "digest": lessons.digests[key],
            "lines": sorted(templates.lines),
        }
        for key, templates in learned.items()
        if key in lessons.digests and key not in lessons.known
    ]  # fmt: skip
    upsert(connection, t.learned, rows)
