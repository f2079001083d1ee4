"""BUG004: a bug of no version and no platform."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.bug_text import stated_environment
from backlint.rules.rule import Context, Example, Rule


def a_bug(**given: object) -> Issue:
    return an_issue(**{"type": IssueType.BUG, "title": "Export loses rows", **given})


class MissingEnvironment(Rule):
    """No version or platform.

    Why it matters: whether it is fixed already, and on what machine to look, is asked in the first reply to most
    bugs.

    How to fix: the version, and the device, system or browser where it shows.

    Not flagged: a mapped field, an environment section, or a version, commit hash, system or browser anywhere in
    the text or title. "Latest" is no version. Products that are hosted in one version can switch it off.
    """

    code = "BUG004"
    name = "missing-environment"
    severity = Severity.INFO
    question = "Which version, device, browser?"
    dimension = "clarity"

    types: frozenset[IssueType] = frozenset({IssueType.BUG})
    required: bool = True  # false for a product that is hosted in one version
    vague_versions: tuple[str, ...] = (
        "latest",
        "newest",
        "current",
        "recent",
        "any",
        "all",
        "unknown",
        "neueste",
        "aktuell",
    )  # say nothing next week

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        if not self.required:
            yield self.ok(issue, "not required here")
            return
        found = stated_environment(issue, context.texts.body(issue), context, self.vague_versions)
        if found is not None:
            yield self.ok(issue, "stated", evidence=[found])
        else:
            yield self.fail(issue, context, "No version or platform.", confidence=0.9)

    flagged = (
        Example("nothing said", a_bug(body="The export loses the last row.")),
        Example("the latest version", a_bug(body="Version: latest\n\nThe export loses the last row.")),
        Example("numbers that are no versions", a_bug(body="It took 2.5 seconds and lost 12 rows.")),
    )
    passed = (
        Example("a version and a system", a_bug(body="Seen with 4.2.1 on Android 15."), evidence="4.2.1"),
        Example("a hosted product", a_bug(body="The export loses the last row."), options={"required": False}),
        Example("a commit", a_bug(body="Since commit 3f2a9c1 the export loses a row."), evidence="3f2a9c1"),
        Example("a section", a_bug(body="## Environment\n\nStaging, the customer's own tenant\n"), evidence="Staging"),
        Example("a browser in the title", a_bug(title="Firefox: export loses rows", body="The last row is gone.")),
        Example("a mapped field", a_bug(fields={"affects_version": "7"})),
    )
    declined = (Example("a story", an_issue(body="Export the list.")),)
