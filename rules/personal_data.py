"""SEC002: data of a person stands in an issue, where it has no business and no end."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import a_comment, an_issue
from backlint.model import Issue, IssueType, Judgement, Person, Severity
from backlint.rules.personal_text import find_personal_data, is_luhn
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule
from backlint.rules.secret_text import Sensitive
from backlint.rules.sensitive_places import place_name, sensitive


def an_account() -> str:
    """A valid account number that belongs to nobody: its digits count upwards."""
    rest = "123456780123456780"
    check = 98 - int(f"{rest}131400") % 97
    return f"DE{check:02}{rest}"


def a_card() -> str:
    """A valid number in a real range, with digits that count."""
    begin = "402400712345678"
    return next(begin + last for last in "0123456789" if is_luhn(begin + last))


def grouped(number: str) -> str:
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))


STAFF = {("demo", "ana"): Person(id="ana", name="Ana Example", email="ana@acme.io")}


class PersonalData(Rule):
    """Personal data seems to be in the text.

    Why it matters: an issue is copied, mailed and kept for years; nobody who is named in it can have it erased.

    How to fix: take it out, also out of the history where the tracker allows it; a customer number is enough.

    Not flagged: published test cards and example accounts; example domains; numbers with a wrong check digit, and
    numbers that only happen to have a right one (a card needs its grouping or a word for it beside it); addresses of
    the own domains and of people known to the tracker. E-mail is only looked for where own domains are known, by
    option or from the people. Nothing of the value is ever kept or shown; the finding is in no comment, label or score.
    """

    code = "SEC002"
    name = "personal-data"
    severity = Severity.WARNING
    on_create = True
    judges_closed = True
    private = True

    types: frozenset[IssueType] = EVERY_TYPE
    own_domains: tuple[str, ...] = ()  # of e-mail addresses; those of the people known to the tracker beside them
    hash_key: str = (
        ""  # secret of this installation, by which the same value is known again; without it places are counted
    )

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        known = context.of_people("known addresses", lambda: _addresses(context))
        domains = context.of_people(
            ("own domains", self.own_domains), lambda: frozenset(self.own_domains) | _domains(known)
        )

        def find(text: str) -> Iterator[Sensitive]:
            return find_personal_data(text, own_domains=domains, known=known)

        for found, field, evidence, discriminator in sensitive(issue, find, self.hash_key):
            yield self.fail(
                issue,
                context,
                f"Personal data ({found.kind}) seems to be in {place_name(field)}.",
                evidence=[evidence],
                confidence=0.9,
                discriminator=discriminator,
            )

    flagged = (
        Example(
            "a bank account", an_issue(body=f"Refund to {grouped(an_account())} please."), severity=Severity.WARNING
        ),
        Example("a card in groups", an_issue(body=f"Charged twice: {grouped(a_card())}")),
        Example(
            "a card beside its name", an_issue(comments=(a_comment(f"The customer's card number is {a_card()}."),))
        ),
        Example("a labelled phone number", an_issue(body="Customer called, phone: +49 171 8203947")),
        Example(
            "a national id",
            an_issue(body="The DNI 41827365" + "TRWAGMYFPDXBNJZSQVHLCKE"[41827365 % 23] + " is refused."),
        ),
        Example(
            "a customer's address",
            an_issue(body="Customer jo.miller@mailbox.net gets no invoice."),
            options={"own_domains": ("acme.io",)},
        ),
    )
    passed = (
        Example("a published test card", an_issue(body="Pay with card 4242 4242 4242 4242.")),
        Example(
            "an example domain",
            an_issue(
                body="Customer ana@example.com",
            ),
            options={"own_domains": ("acme.io",)},
        ),
        Example("an order number", an_issue(body="Order 4024007123456780 is stuck.")),
        Example("an example account", an_issue(body="IBAN DE89 3704 0044 0532 0130 00")),
        Example("a wrong check digit", an_issue(body="IBAN DE00 1234 5678 0123 4567 80")),
        Example(
            "an address of the own domain",
            an_issue(body="Customer wrote to ben@acme.io"),
            context={"people": STAFF},
        ),
        Example("a mention", an_issue(body="@ana the customer calls again")),
        Example("a number of fiction", an_issue(body="phone: 202-555-0143")),
    )


def _addresses(context: Context) -> frozenset[str]:
    return frozenset((person.email or "").casefold() for person in context.backlog.people.values()) - {""}


def _domains(addresses: frozenset[str]) -> frozenset[str]:
    """The domains of the people known; free mailboxes are nobody's own."""
    free = (
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "yahoo.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "icloud.com",
        "proton.me",
    )
    return frozenset(address.rpartition("@")[2] for address in addresses) - set(free)
