"""Who owns an issue: people in fields, in "Owner:" lines and in RACI tables, and which account a written name means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from backlint.backlog import Backlog
from backlint.model import Evidence, Issue, Person
from backlint.rules.evidence import lines, of_part, of_value, section_lines
from backlint.text.document import Document, Dropped, Item, Meaning

# Field names of catalogue 1.1 under which a source may map its own "owner" field.
OWNER_FIELDS = ("accountable", "owner", "dri")

_ACCOUNTABLE_LINE = re.compile(
    r"""^\W*(?:owner|dri|accountable|directly\ responsible(?:\ individual)?|verantwortlich(?:e[rs]?)?|eigent[uü]mer
        |responsable|propri[eé]taire|respons[aá]vel|responsabile|proprietario|eigenaar|verantwoordelijke
            |w[lł]a[sś]ciciel
        |odpowiedzialn[ya]|担当者?|责任人|負責人)\W*?[*_]*\s*[:：=|–—-]\s*[*_]*(?P<rest>.+)$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_STRICTLY_ACCOUNTABLE = re.compile(r"^\W*(?:accountable|rechenschaftspflichtig)\b", re.IGNORECASE)
_NOBODY = re.compile(
    r"""^\W*(?:tbd|tba|tbc|todo|to\ be\ \w+|n/?a|none|nil|null|nobody|no\ one|unassigned|unknown|unclear|open
        |pending|everyone|all
        |anyone|someone|us|we|offen|unklar|niemand|alle|keine?r?|folgt|à\ définir|personne|por\ definir|pendiente
            |nadie|a\ definir
        |ninguém|da\ definire|nessuno|nog\ te\ bepalen|n\.v\.t\.|do\ ustalenia|nikt|未定|待定|_?no\ response_?
            |[-–—?.x]+)\W*$""",
    re.VERBOSE | re.IGNORECASE,
)
_TEAM = re.compile(
    r"\b(?:teams?|squad|guild|tribe|group|department|crew|chapter|abteilung|gruppe|équipe|equipo|equipe|zespół)\b", re.I
)
_COMPANY = re.compile(
    r"\b(?:ltd|limited|inc|incorporated|gmbh|ag|llc|llp|plc|co|corp|company|sons|partners|associates|s\.?a|s\.?r\.?l|bv|b\.v|oy|ab|kg)\b\.?",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w/.])@([\w][\w.-]*(?:/[\w.-]+)?)|\[~(?:accountid:)?([^\]]+)\]")
_SEPARATOR = re.compile(r"\s*(?:[,;/&+]|\b(?:and|und|et|y|e|en|i|oder|or|ou|o)\b)\s*", re.IGNORECASE)
_RACI_CELL = re.compile(r"^(?:[RACI](?:\s*[/,+&]?\s*[RACI]){0,3})?$")
_WRITTEN_NAME = re.compile(r"^[^\W\d_][\w.'’-]*(?:\s+[^\W\d_][\w.'’-]*){0,3}$")


@dataclass(frozen=True, slots=True)
class Named:
    """Someone named as owner: an account id, or a name as written, with the place."""

    who: str
    evidence: Evidence
    is_account: bool = False
    is_accountable: bool = False  # the one who decides, not merely someone who works on it


def owners(issue: Issue, document: Document) -> Iterator[Named]:
    """Everybody named as accountable or owner, in the order of evidence: fields, sections and lines."""
    for person in issue.accountable:
        yield Named(person, of_value("F", "accountable", person), is_account=True, is_accountable=True)
    for name in OWNER_FIELDS:
        for value in _texts(issue.fields.get(name)):
            evidence = of_value("F", f"fields.{name}", value)
            for who in split_names(value):
                yield Named(who, evidence, is_accountable=name == "accountable")
    yield from _in_text(document)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value
    elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        for each in value:
            yield from _texts(each)


def _in_text(document: Document) -> Iterator[Named]:
    seen: set[int] = set()
    for section in document.under(Meaning.OWNER):
        strict = bool(_STRICTLY_ACCOUNTABLE.match(section.heading))
        for line in section_lines(section):
            if line.start not in seen and not _is_raci(line):
                seen.add(line.start)
                yield from _on_line(document, line, line.text, is_accountable=strict)
    for line in lines(document):
        stated = _ACCOUNTABLE_LINE.match(line.text)
        if stated and line.start not in seen:
            seen.add(line.start)
            strict = bool(_STRICTLY_ACCOUNTABLE.match(line.text))
            yield from _on_line(document, line, stated["rest"], is_accountable=strict)
    for line, names in raci_rows(document):
        for name in names:
            yield Named(name, of_part(document, line, kind="S", field="body"), is_accountable=True)


def _on_line(document: Document, line: Item | Dropped, text: str, *, is_accountable: bool) -> Iterator[Named]:
    stated = _ACCOUNTABLE_LINE.match(text)
    for who in split_names(stated["rest"] if stated else text):
        yield Named(who, of_part(document, line, kind="S", field="body"), is_accountable=is_accountable)


def raci_rows(document: Document) -> Iterator[tuple[Item | Dropped, tuple[str, ...]]]:
    """RACI rows with the people whose cell holds an A; legends and rows of other tables are not RACI rows."""
    header: tuple[str, ...] = ()
    for line in document.items:
        if len(line.cells) < 3:
            continue
        marks = [cell.strip().upper() for cell in line.cells[1:]]
        if not _is_raci(line):
            header = line.cells
            continue
        holders = tuple(
            header[index].strip() if index < len(header) and header[index].strip() else f"column {index + 1}"
            for index, mark in enumerate(marks, start=1)
            if "A" in mark
        )
        if holders:
            yield line, holders


def _is_raci(line: Item | Dropped) -> bool:
    cells = line.cells if isinstance(line, Item) else ()
    marks = [cell.strip().upper() for cell in cells[1:]]
    return len(cells) >= 3 and sum(bool(mark) for mark in marks) >= 2 and all(_RACI_CELL.match(mark) for mark in marks)


def split_names(text: str) -> tuple[str, ...]:
    """The people a text names: handles where there are any, else names between commas and "and".

    A company whose name holds an "and" is one name, and "TBD" is nobody.
    """
    text = text.strip().strip("*_`").strip()
    if _NOBODY.match(text) or not text:
        return ()
    handles = [handle or account for handle, account in _HANDLE.findall(text)]
    if handles:
        return tuple(handles)
    if _COMPANY.search(text):
        return (text,)
    text = text.split("(")[0].split(" - ")[0].strip(" .:;")
    parts = [part.strip(" .*_") for part in _SEPARATOR.split(text)]
    people = [part for part in parts if part and not _NOBODY.match(part)]
    if all(_WRITTEN_NAME.match(part) for part in people):
        return tuple(people)
    return (text,) if _WRITTEN_NAME.match(text) else ()


def is_team(name: str, aliases: Collection[str]) -> bool:
    """A team alias is nobody in particular: "@org/team", "Payments team", or one that the configuration lists."""
    folded = name.casefold().lstrip("@")
    return "/" in folded or bool(_TEAM.search(folded)) or folded in {alias.casefold().lstrip("@") for alias in aliases}


def resolve(backlog: Backlog, source: str, name: str) -> Person | None:
    """The account that a written name means; None when no account has it, or when several do."""
    by_id = backlog.person(source, name)
    if by_id is not None:
        return by_id
    found = backlog.people_named(source, name)
    exact = [person for person in found if person.name.casefold() == name.casefold().strip()]
    candidates = exact or found
    return candidates[0] if len(candidates) == 1 else None


def has_left(person: Person, today: date) -> bool:
    return person.is_active is False or (person.left_on is not None and person.left_on < today)
