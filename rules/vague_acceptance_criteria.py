"""AC003: criteria that nobody could check as they are written."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Evidence, Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.criteria_list import criteria, results, scenarios
from backlint.rules.rule import Context, Example, Rule
from backlint.rules.vague_text import any_vague_word, is_anchored, vague_word
from backlint.text.languages import sure_language

ONE = "## Acceptance criteria\n\n- Page loads fast\n"
TWO = "## Acceptance criteria\n\n- Works correctly on mobile\n- Errors are handled gracefully\n"
HALF = "## Acceptance criteria\n\n- Works correctly on mobile\n- Shows the text 'Card declined'\n"
GIVEN_VAGUE = """\
## Acceptance criteria

Given some invoices that were paid quickly
When the clerk presses Export
Then the file holds one row for each of the 12 invoices
"""
LANGUAGE_CHARACTERS = 1_000  # enough for the language of a text


def with_criteria(*lines: str) -> str:
    return "## Acceptance criteria\n\n" + "".join(f"- {line}\n" for line in lines)


class VagueAcceptanceCriteria(Rule):
    """Acceptance criteria cannot be checked as written.

    Why it matters: "fast" and "properly" are met for the one who builds and missed for the one who accepts.

    How to fix: a number with its unit, a state, a status or error code, or the text that is shown.

    Severity: a warning only where every criterion of a near story is vague; word lists are wrong too often for more.

    Not flagged: a vague word beside something that one can look at (a number, quoted text, a state, a comparison, a
    link); names ("Fast Checkout") and words of the team's glossary; what a scenario takes as given. Where the language
    is not certain, nothing is said.
    """

    code = "AC003"
    name = "vague-acceptance-criteria"
    severity = Severity.WARNING
    severity_far = Severity.INFO
    question = "What number, state or visible text would show that it is met?"
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.STORY})
    words: tuple[str, ...] = ()  # further vague words of this team, in any language
    glossary: tuple[str, ...] = ()  # terms of this team that hold a vague word and are precise
    min_share: float = 0.5  # catalogue AC003: fewer vague ones are lost among the clear ones

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        listed = criteria(issue, context)
        stated = [(each.text, each.evidence) for each in listed]
        stated += [(results(scenario), evidence) for scenario, evidence in scenarios(issue, context)]
        if not stated:
            yield self.not_applicable(issue, "no criteria: AC001 says it")
            return
        linked = {each.evidence for each in listed if each.is_linked}
        loose = [(text, evidence) for text, evidence in stated if evidence not in linked and not is_anchored(text)]
        if not any(any_vague_word(text, self.words) for text, _ in loose):
            return
        language = sure_language(self._sample(issue, context))
        if language is None:
            yield self.unknown(issue, "the language of the text is not certain")
            return
        vague = list(self._vague(loose, language))
        if not vague or len(vague) < self.min_share * len(stated):
            return
        words = list(dict.fromkeys(word.casefold() for word, _ in vague))
        named = ", ".join(f"“{word}”" for word in words[:3])
        yield self.fail(
            issue,
            context,
            f"{len(vague)} of {len(stated)} acceptance criteria cannot be checked as written: {named}.",
            question=f"What number, state or visible text would show that “{words[0]}” is met?",
            evidence=[evidence for _, evidence in vague[:3]],
            severity=None if len(vague) == len(stated) else Severity.INFO,
            confidence=0.6,
        )

    def _vague(self, loose: list[tuple[str, Evidence]], language: str) -> Iterator[tuple[str, Evidence]]:
        for text, evidence in loose:
            word = vague_word(text, language, more=self.words, known=self.glossary)
            if word is not None:
                yield word, evidence

    @staticmethod
    def _sample(issue: Issue, context: Context) -> str:
        """Title and authored text: a criterion by itself is too short to tell its language."""
        lines = [issue.title, *(item.text for item in context.texts.body(issue).items)]
        lines += [each.text for each in criteria(issue, context)]
        return "\n".join(lines)[:LANGUAGE_CHARACTERS]

    flagged = (
        Example("the only criterion", an_issue(body=ONE), evidence="Page loads fast", severity=Severity.INFO),
        Example("all of a near story", an_issue(body=TWO, category=StatusCategory.TODO), severity=Severity.WARNING),
        Example("half of a near story", an_issue(body=HALF, category=StatusCategory.TODO), severity=Severity.INFO),
        Example(
            "German",
            an_issue(
                title="Liste der Rechnungen exportieren",
                body="## Akzeptanzkriterien\n\n- Die Seite lädt schnell und die Anzeige ist übersichtlich\n",
            ),
        ),
        Example(
            "a word of the team",
            an_issue(body=with_criteria("The page feels snappy on mobile")),
            options={"words": ("snappy",)},
        ),
    )
    passed = (
        Example(
            "a percentile", an_issue(body=with_criteria("p95 under 2 s on 4G", "Fast enough for 100 rows a second"))
        ),
        Example("quoted text", an_issue(body=with_criteria("Shows 'Card declined' and keeps the basket"))),
        Example("a name", an_issue(body=with_criteria("The list opens from the menu of Fast Checkout"))),
        Example(
            "a term of the team's glossary",
            an_issue(body=with_criteria("The list opens from the easy mode of the clerk")),
            options={"glossary": ("easy mode",)},
        ),
        Example("vague things are given", an_issue(body=GIVEN_VAGUE)),
        Example(
            "one vague among three",
            an_issue(
                body=with_criteria("Opens in a spreadsheet", "Keeps the order of the list", "Loads fast on mobile")
            ),
        ),
    )
    declined = (
        Example("no criteria at all", an_issue(body="Export the list fast.")),
        Example("a language that is not certain", an_issue(title="CSV", body="## AC\n\n- robust & ok etc\n")),
    )
