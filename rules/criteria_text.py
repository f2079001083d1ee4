"""Finds what must be true for an issue to be accepted, wherever its author wrote it.

In the order of catalogue 1.6: a mapped field, a section, a checklist, Gherkin, phrases. What looks like a place for
criteria and holds none is a *shell*: the template was left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from backlint.model import Comment, Evidence, Issue, IssueType
from backlint.rules.evidence import ACCEPTED_COMMENT, of_part, of_span, of_value, section_lines
from backlint.rules.requirement_text import (
    MIN_CONDITION_WORDS,
    is_condition,
    is_state,
    phrases,
    promises_conditions,
    reports_a_fault,
)
from backlint.rules.rule import Context, Rule
from backlint.text.document import Document, DropReason, Meaning, Section
from backlint.text.placeholder import waiver_reason

FIELD = "acceptance_criteria"

# Headings that promise checkable conditions without the word acceptance.
_CONDITION_HEADING = re.compile(
    r"""^\W*(?:(?:functional\ |business\ |technical\ |non[- ]functional\ )?requirements?|must[- ]haves?
        |deliverables?|exit\ criteria|test(?:ing)?\ criteria|success\ criteria
        |expected\ (?:outcomes?|results?|deliverables?)|verification|validation(?:\ criteria)?|quality\ criteria
        |criteria\ for\ success|testable\ outcomes?|specs?|specifications?|outputs?|expectations?|(?:what\ does[ ]
            |how\ do\ we\ know\ (?:it'?s\ |this\ is\ )?)(?:done|finished).*
        |business\ rules|rules|anforderungen|erfolgskriterien|crit[èe]res\ de\ succ[èe]s|criterios\ de\ [ée]xito
        |crit[ée]rios\ de\ sucesso|criteri\ di\ successo|要件|要求|需求
        |ergebnis(?:se)?|lieferergebnisse?|exigences|livrables?|requisitos
            |entregables|entreg[áa]veis|requisiti|vereisten|wymagania)\W*$""",
    re.VERBOSE | re.IGNORECASE,
)
# "AC: the file opens in a spreadsheet", on one line.
_LABELLED = re.compile(
    r"""^\W*(?:acceptance(?:\ (?:criteri(?:a|on|um)|tests?|conditions?))?|a\.?c\.?s?|conditions?\ of\ satisfaction
        |cos|akzeptanzkriteri(?:en|um)|abnahmekriteri(?:en|um)
        |crit[èe]res?\ d[’']acceptation|criterios?\ de\ aceptaci[óo]n|crit[ée]rios?\ de\ (?:aceita[çc][ãa]o|aceite)
            |criter[io]+\ di\ accettazione|acceptatiecriteri(?:a|um)|kryteri(?:a|um)\ akceptacji)
        \s*\#?\d*\W*?[*_]*\s*[:：]\s*[*_]*(?P<rest>\S.*)$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# All on the heading's own line, as where line breaks were lost: "Acceptance criteria # The file opens".
_HEADED = re.compile(
    r"^\W*(?:acceptance\s+criteria|conditions\s+of\s+satisfaction|akzeptanzkriterien)\W+(?P<rest>\w.*)$",
    re.IGNORECASE | re.DOTALL,
)
_DONE_HEADING = re.compile(
    r"\bdefinitions? of done\b|^\W*dod\W*$|definition von fertig|d[ée]finition (?:de|du) (?:fini|termin[ée])"
    r"|definici[óo]n de (?:hecho|terminado)|defini[çc][ãa]o de pronto|完了の定義|完成的?定义",
    re.IGNORECASE,
)
# What every team writes under it, whatever the issue.
_ANY_TEAMS = re.compile(
    r"\b(?:reviews?|reviewed|reviewer|merged?|deploy\w*|released?|documentation|docs|documented|unit|tests?|tested"
    r"|testing|coverage|ci|pipeline|lint\w*|product owner|po|qa|accepted|acceptance|demo\w*|translat\w*|changelog"
    r"|branch|staging|production|merge request|pull request|mr|pr|code|definition|approv\w*|sign(?:ed)?[- ]?off|team"
    r"|story|ticket|issue|estimated?|commit\w*|feature flag|monitor\w*|regressions?)\b",
    re.IGNORECASE,
)
# Boxes that are answers to a form's question, not conditions.
_CHOICE = re.compile(
    r"^\W*(?:yes|no|none|other|n/?a|not\ sure|maybe|i\ (?:have|am|did|agree))\b|^[^:]{1,30}:\s*(?:`|@|\[~)",
    re.VERBOSE | re.IGNORECASE,
)
# Headings of which some promise conditions as well: "Success criteria", "Expected results" of a spike.
_NEAR_CONDITIONS = frozenset({Meaning.OTHER, Meaning.OUTCOME, Meaning.EXPECTED})
_IMAGE_MARK = re.compile(r"!\[[^\]]*\]\(|!\S[^!\n]*\.(?:png|jpe?g|gif|svg)[^!\n]*!|<img\b", re.IGNORECASE)
MIN_BOXES = 2  # catalogue AC001: one box is a reminder


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What was found: criteria, or an empty place for them, or a reason why there are none."""

    found: Evidence | None = None
    shells: tuple[Evidence, ...] = ()
    waiver: str | None = None
    unreadable: str | None = None
    elsewhere: Evidence | None = None


class CriteriaRule(Rule):
    """What the rules about missing criteria share: the options and the reading."""

    types: frozenset[IssueType] = frozenset({IssueType.STORY})  # a bug's criterion is its expected behaviour
    min_items: int = 1  # authored lines that a field or section must hold
    accept_phrases: bool = True  # "done when ...", "shall", two or more must or should statements
    accept_comments: bool = True  # a comment of the author or owner that opens with an acceptance heading
    accept_links: tuple[str, ...] = ()  # domains where criteria may live: then the finding is only information
    inherit: bool = False  # whether the parent's criteria count

    def criteria(self, issue: Issue, context: Context) -> Criteria:
        """The criteria of the issue, or what stands in their place."""
        options = tuple(self.values.values())
        return context.once(("criteria", options), issue, lambda: self._criteria(issue, context))

    def _criteria(self, issue: Issue, context: Context) -> Criteria:
        document = context.texts.body(issue)
        waiver = self._waiver(issue, document)
        if waiver is not None:
            return Criteria(waiver=waiver)
        found = next(self._found(issue, document, context), None)
        if found is not None:
            return Criteria(found=found)
        return Criteria(
            shells=tuple(_shells(issue, document, context)),
            unreadable=_only_in_image(document),
            elsewhere=self._link(document),
        )

    def _waiver(self, issue: Issue, document: Document) -> str | None:
        for section in document.under(Meaning.ACCEPTANCE):
            if section.waiver is not None:
                return section.waiver
        return waiver_reason(field_text(issue, FIELD))

    def _found(self, issue: Issue, document: Document, context: Context) -> Iterator[Evidence]:
        yield from self._in_field(issue, context)
        yield from self._in_sections(document)
        yield from _in_checklists(issue, document)
        yield from _in_gherkin(document)
        if self.accept_comments:
            yield from self._in_comments(issue, context)
        if self.accept_phrases:
            yield from phrases(document)
        if self.inherit:
            yield from self._inherited(issue, context)

    def _in_field(self, issue: Issue, context: Context) -> Iterator[Evidence]:
        text = field_text(issue, FIELD)
        if not text:
            return
        document = context.texts.read(text, issue.markup)
        held = [item for item in document.items if not _LABELLED.match(item.text) or not is_blank_label(item.text)]
        if len(held) >= self.min_items:
            yield of_part(document, held[0], kind="F", field=f"fields.{FIELD}")
        elif any(not scenario.is_shell for scenario in document.scenarios):
            yield of_value("F", f"fields.{FIELD}", text)

    def _in_sections(self, document: Document, field: str = "body") -> Iterator[Evidence]:
        for section in document.under(Meaning.ACCEPTANCE):
            if len(section.items) >= self.min_items:
                yield of_part(document, section.items[0], kind="S", field=field)
        for line in document.items:
            stated = _LABELLED.match(line.text)
            if stated and not is_blank_label(line.text):
                yield of_part(document, line, kind="S", field=field)
        for section in document.under(Meaning.EXCLUDED):
            yield from _own_definition_of_done(document, section, field)
        near = {Meaning.OTHER, Meaning.OUTCOME} if reports_a_fault(document) else _NEAR_CONDITIONS
        for section in document.sections:
            if not section.meanings - near:
                yield from self._in_other_section(document, section, field)

    def _in_other_section(self, document: Document, section: Section, field: str) -> Iterator[Evidence]:
        headed = _HEADED.match(section.heading)
        if headed is not None and len(headed["rest"].split()) >= MIN_CONDITION_WORDS:
            yield of_span(document, section.start, section.end, kind="S", field=field)
        promised = promises_conditions(section.heading) and len(section.items) > 1 and not reports_a_fault(document)
        if not promised and not _CONDITION_HEADING.match(section.heading):
            return
        conditions = [item for item in section.items if is_condition(item)]
        if len(conditions) >= self.min_items and 2 * len(conditions) >= len(section.items):
            yield of_part(document, conditions[0], kind="S", field=field, note=section.heading)

    def _in_comments(self, issue: Issue, context: Context) -> Iterator[Evidence]:
        allowed = {issue.reporter, *issue.assignees, *issue.accountable} - {None}
        for comment in issue.comments:
            if not comment.is_bot and not comment.is_own and comment.author in allowed:
                yield from self._in_comment(comment, context)

    def _in_comment(self, comment: Comment, context: Context) -> Iterator[Evidence]:
        document = context.texts.read(comment.body, comment.markup)
        opening = document.sections[0] if document.sections else None
        if (
            opening is None
            or Meaning.ACCEPTANCE not in opening.meanings
            or document.text[: opening.start].strip("#*_ \n")
        ):
            return
        if len(opening.items) >= self.min_items:
            field = f"comments.{comment.id}"
            yield of_part(document, opening.items[0], kind="S", field=field, confidence=ACCEPTED_COMMENT)

    def _inherited(self, issue: Issue, context: Context) -> Iterator[Evidence]:
        parent = context.backlog.parent(issue)
        if parent is None:
            return
        for evidence in self._found_in_parent(parent, context):
            yield Evidence(
                kind=evidence.kind, field="parent", excerpt=evidence.excerpt, note=f"inherited from {parent.key}"
            )

    def _found_in_parent(self, parent: Issue, context: Context) -> Iterator[Evidence]:
        document = context.texts.body(parent)
        yield from self._in_field(parent, context)
        yield from self._in_sections(document)
        yield from _in_checklists(parent, document)
        yield from _in_gherkin(document)

    def _link(self, document: Document) -> Evidence | None:
        for link in document.links:
            if is_allowed(link, self.accept_links):
                return of_value("P", "body", link, note="link")
        return None


def _own_definition_of_done(document: Document, section: Section, field: str) -> Iterator[Evidence]:
    """What an issue says of itself under "Definition of done": most of its lines are states, none of any team's."""
    if not _DONE_HEADING.search(section.heading):
        return
    states = [item for item in section.items if is_state(item.text) and not _ANY_TEAMS.search(item.text)]
    if len(states) >= MIN_BOXES and 2 * len(states) > len(section.items):
        yield of_part(document, states[0], kind="S", field=field, note=section.heading)


_DEFAULTS = CriteriaRule()


def found_criteria(issue: Issue, context: Context) -> Evidence | None:
    """The issue's criteria as AC001 finds them by default: for rules to which criteria are a side matter."""
    return _DEFAULTS.criteria(issue, context).found


def is_allowed(link: str, domains: tuple[str, ...]) -> bool:
    """Whether a link leads to one of the domains or below it."""
    host = (urlsplit(link).hostname or "").casefold()
    return any(host == domain.casefold() or host.endswith("." + domain.casefold()) for domain in domains)


def is_choice(text: str) -> bool:
    """Whether a box answers a form's question ("I have searched", "None") and states no condition."""
    return _CHOICE.match(text) is not None


def field_text(issue: Issue, name: str) -> str:
    """A mapped field as text; lists become lines."""
    value = issue.fields.get(name)
    if isinstance(value, (list, tuple)):
        return "\n".join(f"- {each}" for each in value)
    return value if isinstance(value, str) else ""


def is_blank_label(text: str) -> bool:
    """Whether "AC: ..." holds nothing after its label."""
    stated = _LABELLED.match(text)
    return stated is not None and not re.search(r"\w{2,}\W+\w{2,}|[^\W\d_a-zA-ZÀ-ž]{4,}", stated["rest"])


def _in_checklists(issue: Issue, document: Document) -> Iterator[Evidence]:
    real = [item for item in issue.checklist if len(item.text.split()) >= 2]
    if real:
        yield of_value("C", "checklist", real[0].text)
    excluded = {item.start for section in document.under(Meaning.EXCLUDED) for item in section.items}
    boxes = [item for item in document.items if item.ticked is not None and item.start not in excluded]
    conditions = [item for item in boxes if is_state(item.text) and not _CHOICE.match(item.text)]
    if len(boxes) >= MIN_BOXES and 2 * len(conditions) > len(boxes):
        yield of_part(document, conditions[0], kind="C", field="body")


def _in_gherkin(document: Document) -> Iterator[Evidence]:
    for scenario in document.scenarios:
        if not scenario.is_shell:
            yield of_part(document, scenario, kind="G", field="body")


def _shells(issue: Issue, document: Document, context: Context) -> Iterator[Evidence]:
    """Places made for criteria that hold none."""
    text = field_text(issue, FIELD)
    if text.strip():
        yield of_value("F", f"fields.{FIELD}", text)
    for section in document.under(Meaning.ACCEPTANCE):
        yield of_span(document, section.start, section.end, kind="S", field="body", note=_why_empty(section))
    for line in document.items:
        if _LABELLED.match(line.text) and is_blank_label(line.text):
            yield of_part(document, line, kind="S", field="body")
    for scenario in document.scenarios:
        if scenario.is_shell:
            yield of_part(document, scenario, kind="G", field="body")


def _why_empty(section: Section) -> str:
    reasons = dict.fromkeys(line.reason.value for line in section.dropped)
    return ", ".join(reasons) or "nothing under it"


def _only_in_image(document: Document) -> str | None:
    """Why criteria may exist in a picture that cannot be read."""
    for section in document.under(Meaning.ACCEPTANCE):
        if not section_lines(section) and _IMAGE_MARK.search(document.text[section.start : section.end]):
            return "the acceptance criteria are an image"
    if document.images and not document.items and not _authored_though_dropped(document):
        return "the description is only an image"
    return None


def _authored_though_dropped(document: Document) -> bool:
    counted = (DropReason.TOO_SHORT, DropReason.QUOTE, DropReason.PLACEHOLDER, DropReason.TEMPLATE)
    return any(line.reason in counted for line in document.dropped)
