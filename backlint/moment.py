"""A "now" that notes until when the answers given about it stay the same.

Verdicts depend on the time: an issue is stale after so many days, and the message counts them. A check that is repeated
a second later should know which of its verdicts may differ, without asking every rule again. So rules get a `Moment` as
their `now`. It is the time it says; beside that, each comparison with it, each difference from it and each date taken
from it lowers `Footing.until` to the first moment at which that very question would be answered differently. What
cannot be followed that way (the seconds of an age, a printed time) is taken to change at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeVar

T = TypeVar("T")

_TICK = timedelta(microseconds=1)  # the least that datetimes can tell apart
_DAY = timedelta(days=1)
_NOTHING = timedelta(0)


@dataclass(slots=True)
class Footing:
    """What an answer rests on: the first moment at which it may be another (None: never); whether on other issues."""

    until: datetime | None = None
    on_others: bool = False

    def note(self, at: datetime | None) -> None:
        if at is not None and (self.until is None or at < self.until):
            self.until = at

    def join(self, other: Footing) -> None:
        self.note(other.until)
        self.on_others = self.on_others or other.on_others


class Watch:
    """Notes what the answer rests on that is being looked for."""

    __slots__ = ("footing",)

    def __init__(self) -> None:
        self.footing = Footing()

    def note(self, at: datetime | None) -> None:
        self.footing.note(at)

    def apart(self, find: Callable[[], T]) -> tuple[T, Footing]:
        """The answer with what it rests on alone; whoever uses it joins that to his own."""
        before, self.footing = self.footing, Footing()
        try:
            return find(), self.footing
        finally:
            self.footing = before


class Moment(datetime):
    """The present time, or a time at a fixed distance from it."""

    plain: datetime  # the same time, of which nothing is noted
    _now: datetime  # the present, to which this time keeps its distance
    _watch: Watch

    @classmethod
    def present(cls, now: datetime, watch: Watch) -> Moment:
        return cls._made(now, now, watch)

    @classmethod
    def _made(cls, at: datetime, now: datetime, watch: Watch) -> Moment:
        made = cls.combine(at.date(), at.timetz())
        made.plain, made._now, made._watch = at, now, watch
        return made

    def _passes(self, at: datetime) -> datetime:
        """Whether this time is past `at` was asked; while it is not, the answer will change."""
        if self.plain <= at:
            self._watch.note(self._now + max(at - self.plain, _TICK))
        return self.plain

    def _read(self) -> datetime:
        """The time itself was asked for, and will be another one at once."""
        self._watch.note(self._now + _TICK)
        return self.plain

    def __lt__(self, other: Any) -> bool:
        return self.plain < other.plain if isinstance(other, Moment) else self._passes(other) < other

    def __le__(self, other: Any) -> bool:
        return self.plain <= other.plain if isinstance(other, Moment) else self._passes(other) <= other

    def __gt__(self, other: Any) -> bool:
        return self.plain > other.plain if isinstance(other, Moment) else self._passes(other) > other

    def __ge__(self, other: Any) -> bool:
        return self.plain >= other.plain if isinstance(other, Moment) else self._passes(other) >= other

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Moment):
            return self.plain == other.plain
        return isinstance(other, datetime) and self._passes(other) == other

    def __hash__(self) -> int:
        return hash(self._read())

    def __add__(self, other: timedelta) -> datetime:  # type: ignore[override]
        if isinstance(other, Elapsed):
            return self._read() + other.plain
        return Moment._made(self.plain + other, self._now, self._watch)

    def __radd__(self, other: timedelta) -> datetime:  # type: ignore[override]
        return self + other

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Moment):
            return self.plain - other.plain
        if isinstance(other, datetime):
            return Elapsed.made(self.plain - other, self._now, self._watch, grows=True)
        return self + -other

    def __rsub__(self, other: datetime) -> timedelta:
        return Elapsed.made(other - self.plain, self._now, self._watch, grows=False)

    def astimezone(self, tz: tzinfo | None = None) -> Moment:
        return Moment._made(self.plain.astimezone(tz), self._now, self._watch)

    def date(self) -> date:
        """The day, which lasts until midnight where the clock of this time stands."""
        midnight = datetime.combine(self.plain.date() + _DAY, time(), self.plain.tzinfo)
        self._watch.note(self._now + (midnight.astimezone(UTC) - self.plain.astimezone(UTC)))
        return self.plain.date()


class Elapsed(timedelta):
    """The time from a fixed moment until now, or, shrinking, from now until a fixed moment."""

    _span: timedelta
    _now: datetime
    _watch: Watch
    _grows: bool

    @classmethod
    def made(cls, span: timedelta, now: datetime, watch: Watch, *, grows: bool) -> Elapsed:
        made = cls(span.days, span.seconds, span.microseconds)
        made._span, made._now, made._watch, made._grows = span, now, watch, grows
        return made

    def _read(self) -> timedelta:
        self._watch.note(self._now + _TICK)
        return self._span

    @property
    def plain(self) -> timedelta:
        """The span as an ordinary value, which will be another one at once."""
        return self._read()

    def _meets(self, limit: timedelta) -> timedelta:
        """The span was compared with a limit: unless it is past it, it changes sides when it gets there."""
        ahead = limit - self._span if self._grows else self._span - limit
        if ahead >= _NOTHING:
            self._watch.note(self._now + max(ahead, _TICK))
        return self._span

    def _compare(self, other: object, how: Callable[[timedelta, timedelta], bool]) -> bool:
        if isinstance(other, Elapsed):
            return how(self._read(), other._read())
        return how(self._meets(other), other) if isinstance(other, timedelta) else NotImplemented

    def __lt__(self, other: timedelta) -> bool:
        return self._compare(other, timedelta.__lt__)

    def __le__(self, other: timedelta) -> bool:
        return self._compare(other, timedelta.__le__)

    def __gt__(self, other: timedelta) -> bool:
        return self._compare(other, timedelta.__gt__)

    def __ge__(self, other: timedelta) -> bool:
        return self._compare(other, timedelta.__ge__)

    def __eq__(self, other: object) -> bool:
        return self._compare(other, timedelta.__eq__)

    def __hash__(self) -> int:
        return hash(self._read())

    def __bool__(self) -> bool:
        return bool(self._meets(_NOTHING))

    def __floordiv__(self, other: Any) -> Any:
        """Whole units; another number when the next is full, or when the present one is used up."""
        if isinstance(other, Elapsed) or not isinstance(other, timedelta) or other <= _NOTHING:
            return self._read() // other
        whole = self._span // other
        self._meets(other * (whole + 1) if self._grows else other * whole - _TICK)
        return whole

    @property
    def days(self) -> int:
        return int(self // _DAY)

    def __add__(self, other: timedelta) -> timedelta:
        if isinstance(other, Elapsed):
            return self._read() + other._read()
        return Elapsed.made(self._span + other, self._now, self._watch, grows=self._grows)

    __radd__ = __add__

    def __sub__(self, other: timedelta) -> timedelta:
        return self + -other

    def __rsub__(self, other: timedelta) -> timedelta:
        return -self + other

    def __neg__(self) -> timedelta:
        return Elapsed.made(-self._span, self._now, self._watch, grows=not self._grows)


def _noting(kind: type, name: str) -> Any:
    """What the base class gives for `name`, with a note that it changes at once."""
    original = getattr(kind, name)
    if callable(original):
        return lambda self, *given, **named: getattr(self._read(), name)(*given, **named)
    return property(lambda self: getattr(self._read(), name))


_READ_OF_MOMENTS = (
    "year", "month", "day", "hour", "minute", "second", "microsecond", "time", "timetz", "timestamp", "timetuple",
    "utctimetuple", "toordinal", "weekday", "isoweekday", "isocalendar", "replace", "utcoffset", "dst", "tzname",
    "isoformat", "strftime", "ctime", "__str__", "__repr__", "__format__", "__reduce_ex__",
)  # fmt: skip
_READ_OF_SPANS = (
    "seconds", "microseconds", "total_seconds", "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__rfloordiv__",
    "__mod__", "__rmod__", "__divmod__", "__rdivmod__", "__abs__", "__pos__", "__str__", "__repr__", "__reduce__",
)  # fmt: skip
for _name in _READ_OF_MOMENTS:
    setattr(Moment, _name, _noting(datetime, _name))
for _name in _READ_OF_SPANS:
    setattr(Elapsed, _name, _noting(timedelta, _name))
