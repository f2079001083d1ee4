"""The digest of an audit: what is new and what is done since the last one, in words that read well on a phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from backlint.model import Severity

MOST_LINES = 8  # of each part: a digest is read on the way, the report holds them all
MOST_TITLE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A finding as a digest tells it. `issue` is the key, or what it is about where it is no issue."""

    fingerprint: str
    issue: str
    title: str
    rule: str
    severity: Severity
    message: str
    url: str | None = None
    team: str | None = None
    owners: frozenset[str] = field(default_factory=frozenset)  # names, handles and ids, casefolded


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What changed. `open` counts what is open now, the new ones included."""

    about: str
    new: tuple[Told, ...]
    fixed: tuple[Told, ...]
    waived: tuple[Told, ...]
    open: int

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.fixed or self.waived)

    @property
    def title(self) -> str:
        parts = ((self.new, "new"), (self.fixed, "fixed"), (self.waived, "waived"))
        return f"{self.about}: {', '.join(f'{len(found):,} {what}' for found, what in parts if found)}"

    @property
    def text(self) -> str:
        """Plain text: issue and title first, then what is wrong; the worst first."""
        parts = [
            *_part("New", self.new, with_message=True),
            *_part("Fixed", self.fixed),
            *_part("Waived", self.waived),
            f"{self.open:,} open in all." if self.open else "Nothing is open any more.",
        ]
        return "\n\n".join(parts)


def digest(about: str, now_open: Iterable[Told], told: Collection[str], gone: Iterable[tuple[Told, str]]) -> Digest:
    """What to tell: open findings that were not told of, and those told of that are `fixed` or `waived` since."""
    open_ = tuple(now_open)
    ended = tuple(gone)
    return Digest(
        about=about,
        new=_ordered(each for each in open_ if each.fingerprint not in told),
        fixed=_ordered(each for each, how in ended if how == "fixed"),
        waived=_ordered(each for each, how in ended if how == "waived"),
        open=len(open_),
    )


def quiet_until(now: datetime, hours: tuple[time, time] | None, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours that hold now end; None when none do. They may pass midnight."""
    if hours is None:
        return None
    first, last = hours
    local = now.astimezone(zone)
    at = local.time()
    is_quiet = first <= at < last if first <= last else at >= first or at < last
    if not is_quiet:
        return None
    day = local.date() if at < last else local.date() + timedelta(days=1)
    return datetime.combine(day, last, zone).astimezone(now.tzinfo)


def _ordered(found: Iterable[Told]) -> tuple[Told, ...]:
    return tuple(sorted(found, key=lambda each: (-each.severity.rank, each.issue, each.rule, each.fingerprint)))


def _part(name: str, found: Sequence[Told], *, with_message: bool = False) -> Iterable[str]:
    if not found:
        return
    lines = [f"{name} ({len(found):,})"]
    for each in found[:MOST_LINES]:
        lines.append(f"• {each.issue} {_cut(each.title)}".rstrip())
        lines.append(f"  {each.message}" if with_message else f"  {each.rule}")
        if with_message and each.url:
            lines.append(f"  {each.url}")
    if len(found) > MOST_LINES:
        by_rule = Counter(each.rule for each in found[MOST_LINES:])
        most = ", ".join(f"{rule} {count}" for rule, count in by_rule.most_common(3))
        lines.append(f"… and {len(found) - MOST_LINES:,} more ({most})")
    yield "\n".join(lines)


def _cut(title: str) -> str:
    plain = " ".join(title.split())
    return plain if len(plain) <= MOST_TITLE else f"{plain[: MOST_TITLE - 1].rstrip()}…"
