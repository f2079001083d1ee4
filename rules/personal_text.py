"""Finds personal data by shape and check digit: bank accounts, payment cards, national ids, phone numbers, e-mail."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from itertools import islice

from backlint.rules.secret_text import MAX_FOUND, Sensitive
from backlint.text.gates import Gates

# Length of an IBAN by country (ISO 13616 registry), for the countries whose accounts are met most.
_IBAN_LENGTH = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18,
    "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21,
    "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "TR": 26,
    "SA": 24, "AE": 23, "IL": 23, "BR": 29,
}  # fmt: skip
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]{4}){2,7}(?:[ \u00a0-]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
# Printed in the standard, by the registry or in every tutorial.
_PUBLISHED_IBANS = frozenset(
    {
        "DE89370400440532013000", "GB82WEST12345698765432", "GB29NWBK60161331926819", "GB33BUKB20201555555555",
        "FR1420041010050500013M02606", "FR7630006000011234567890189", "ES9121000418450200051332",
        "IT60X0542811101000000123456",
        "NL91ABNA0417164300", "BE68539007547034", "CH9300762011623852957", "AT611904300234573201",
        "PL61109010140000071219812874",
        "PT50000201231234567890154", "SE4550000000058398257466", "DK5000400440116243", "FI2112345600000785",
        "NO9386011117947",
        "IE29AIBK93115212345678", "LU280019400644750000", "CZ6508000000192000145399", "DE75512108001245126199",
        "DE12500105170648489890", "DE27100777770209299700", "DE02120300000000202051",
    }
)  # fmt: skip
_DIGITS = re.compile(r"(?<![\w.,-])(?:\d[ -]?){12,18}\d(?![\w-]|[.,]\d)")
_CARD_LENGTH = re.compile(r"[2-6](?:[ -]?\d){12}")  # of the shortest, by the digits that cards begin with
_GROUPED = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{5}")
_CARD_PREFIX = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|5\d\d"
    r"|4[4-9]\d)\d{12}"
    r"|35\d{14}|3(?:0[0-5]|[68]\d)\d{11}"
)
_CARD_WORD = re.compile(
    r"\b(?:(?:credit|debit|payment|bank)?\s?cards?|visa|master\s?card|amex|american express|pan|cvv|cvc|card\s?(?:no"
    r"|number|holder)|kreditkarte\w*|kartennummer"
    r"|carte (?:bancaire|bleue|de cr[ée]dit)|tarjeta|cart[ãa]o|carta di credito|creditcard|karta)\b",
    re.IGNORECASE,
)
# Numbers that payment providers publish for tests.
_TEST_CARDS = frozenset(
    {
        "4111111111111111", "4242424242424242", "4012888888881881", "4222222222222", "4000056655665556",
        "4000000000000002",
        "5555555555554444", "5105105105105100", "5200828282828210", "5454545454545454", "2223003122003222",
        "2223000048400011",
        "378282246310005", "371449635398431", "378734493671000", "6011111111111117", "6011000990139424",
        "6011981111111113",
        "30569309025904", "38520000023237", "36227206271667", "3530111333300000", "3566002020360505",
        "4917610000000000",
        "4000002500003155", "4000000000009995", "4000000000003220", "4532015112830366", "4539578763621486",
        "4716059471850976",
    }
)  # fmt: skip
_PHONE = re.compile(
    r"(?<![\w.])(?:phone|telephone|mobile|cell|tel|telefon|telefonnummer|handy|mobil|t[ée]l[ée]phone|tel[ée]fono"
    r"|telefone|celular|telefono|cellulare"
    r"|telefoon|mobiel|telefonu)(?:\s?(?:no|nr|number"
    r"|nummer)\b)?\.?[ \t]{0,3}[:=]?[ \t]{0,3}(?P<value>\+?\(?\d[\d ()/.-]{6,20}\d)",
    re.IGNORECASE,
)
_DATED = re.compile(r"\d{4}-\d\d-\d\d")  # of a log line
_FICTION = re.compile(r"555\D?01\d\d|(?:123\D?45|0123|12345|98765)|(\d)\1{5}")
_EMAIL = re.compile(
    r"[\w.%+-]{1,64}@(?P<domain>[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.[A-Za-z]{2,24})(?![\w-])"
)
_RESERVED = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:com|org|net))?|invalid|test|localhost|local)$"
    r"|^(?:email|domain|mail|foo|bar|acme|company|yourcompany)\.(?:com|org|net)$",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"^(?:no-?reply|do-?not-?reply|support|info|hello|contact|help|admin|sales|team|git|postmaster|webmaster"
    r"|security)@",
    re.IGNORECASE,
)
_CUSTOMER = re.compile(
    r"\b(?:customers?|clients?|subscribers?|patients?|guests?|buyers?|account\s?holders?|tenants?|members?"
    r"|reported\ by|complain\w*|invoice|order|user's|kund\w+|client[es]?|abonn[ée]\w*"
    r"|clientes?|usuari[oa]s?|utente|klant\w*|klient\w*|e-?mail\s*[:=])",
    re.IGNORECASE | re.VERBOSE,
)
NEAR = 80  # characters within which a word is about a number


def find_personal_data(text: str, *, own_domains: Collection[str], known: Collection[str]) -> Iterator[Sensitive]:
    """Personal data in a text; addresses of the own domains and of known accounts are nobody's secret."""
    possible = _GATES.open(text)
    if not possible:
        return
    found = [each for search in (_ibans, _cards, _phones, _national_ids) if search in possible for each in search(text)]
    yield from found[:MAX_FOUND]
    if own_domains and _mails in possible:
        yield from islice(_mails(text, own_domains, known), MAX_FOUND)


def _ibans(text: str) -> Iterator[Sensitive]:
    for match in _IBAN.finditer(text):
        iban = re.sub(r"[ \u00a0-]", "", match.group())
        length = _IBAN_LENGTH.get(iban[:2])
        if length is not None and len(iban) > length:
            iban = iban[:length]
        if len(iban) == length and iban not in _PUBLISHED_IBANS and is_iban(iban) and len(set(iban[4:])) > 2:
            yield Sensitive("bank account (IBAN)", match.start(), match.end(), True, iban)


def is_iban(iban: str) -> bool:
    """Whether the check digits of an IBAN without spaces are right (ISO 7064, mod 97)."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _cards(text: str) -> Iterator[Sensitive]:
    for match in _DIGITS.finditer(text):
        written = match.group()
        number = re.sub(r"\D", "", written)
        if not _CARD_PREFIX.fullmatch(number) or number in _TEST_CARDS or len(set(number)) <= 4 or not is_luhn(number):
            continue
        around = text[max(0, match.start() - NEAR) : match.end() + NEAR]
        if _GROUPED.fullmatch(written) or _CARD_WORD.search(around):
            yield Sensitive("payment card", match.start(), match.end(), True, number)


def is_luhn(number: str) -> bool:
    """Whether the last digit is the right check digit; one in ten random numbers has it by chance."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _phones(text: str) -> Iterator[Sensitive]:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match["value"])
        is_version = any(len(part) == 1 for part in match["value"].split("."))
        if (
            8 <= len(digits) <= 15
            and not is_version
            and not _FICTION.search(match["value"])
            and not _FICTION.search(digits)
        ):
            yield Sensitive("phone number", match.start("value"), match.end("value"), True, digits)


# -- national ids: only behind their name, and only with the right check digit -----------------------------------------


def _weighted(weights: str, modulus: int) -> Callable[[str], int]:
    return lambda digits: (
        sum(int(digit) * int(weight, 36) for digit, weight in zip(digits, weights, strict=False)) % modulus
    )


def _is_dni(value: str) -> bool:
    digits = value[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return digits.isdigit() and value[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23]


def _is_bsn(value: str) -> bool:
    return (_weighted("98765432", 11)(value[:8]) - int(value[8])) % 11 == 0 and int(value) > 0


def _is_pesel(value: str) -> bool:
    return (10 - _weighted("1379137913", 10)(value[:10])) % 10 == int(value[10])


def _is_nir(value: str) -> bool:
    return 97 - int(value[:13]) % 97 == int(value[13:])


def _is_cpf(value: str) -> bool:
    first = sum(int(digit) * weight for digit, weight in zip(value[:9], range(10, 1, -1), strict=True)) * 10 % 11 % 10
    second = sum(int(digit) * weight for digit, weight in zip(value[:10], range(11, 1, -1), strict=True)) * 10 % 11 % 10
    return (first, second) == (int(value[9]), int(value[10]))


def _is_german_tax_id(value: str) -> bool:
    """ISO 7064, mod 11, 10."""
    product = 10
    for digit in value[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(value[10])


_NATIONAL: tuple[tuple[re.Pattern[str], str, Callable[[str], bool]], ...] = tuple(
    (re.compile(rf"(?<!\w)(?:{label})\W{{0,6}}(?P<value>{shape})(?!\w)", re.IGNORECASE), country, check)
    for label, shape, country, check in (
        (r"DNI|NIE", r"[XYZ]?\d{7,8}[ -]?[A-Z]", "Spanish", _is_dni),
        (r"BSN|burgerservicenummer", r"\d{9}", "Dutch", _is_bsn),
        (r"PESEL", r"\d{11}", "Polish", _is_pesel),
        (r"NIR|num[ée]ro de s[ée]curit[ée] sociale", r"[12](?:[ ]?\d){14}", "French", _is_nir),
        (r"CPF", r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", "Brazilian", _is_cpf),
        (r"Steuer-?ID(?:entifikationsnummer)?|IdNr\.?", r"\d{2}(?:[ ]?\d{3}){3}", "German tax", _is_german_tax_id),
    )
)


_NAMES = re.compile(r"DNI|NIE|BSN|bsn|PESEL|NIR|CPF|teuer|IdNr|nummer|sociale|dni|nie\b|pesel|cpf|nir\b")


def _national_ids(text: str) -> Iterator[Sensitive]:
    if not _NAMES.search(text):
        return
    for pattern, country, check in _NATIONAL:
        for match in pattern.finditer(text):
            value = re.sub(r"[ .-]", "", match["value"]).upper()
            if len(set(value)) > 2 and check(value):
                yield Sensitive(f"{country} id", match.start("value"), match.end("value"), True, value)


# -- e-mail ------------------------------------------------------------------------------------------------------------


def _mails(text: str, own_domains: Collection[str], known: Collection[str]) -> Iterator[Sensitive]:
    """Addresses outside the own domains where the line speaks of customers."""
    own = {domain.casefold().lstrip("@") for domain in own_domains}
    for match in _EMAIL.finditer(text):
        address, domain = match.group().casefold(), match["domain"].casefold()
        is_own = any(domain == each or domain.endswith("." + each) for each in own)
        if is_own or address in known or _RESERVED.search(domain) or _ROLE.match(address):
            continue
        line = text[max(text.rfind("\n", 0, match.start()), match.start() - NEAR) + 1 : match.start()]
        line += text[match.end() : match.end() + NEAR].split("\n", 1)[0]
        if _CUSTOMER.search(line):
            yield Sensitive("e-mail address", match.start(), match.end(), True, address)


# Which of the searches can find anything: most texts pass none of them.
Search = Callable[[str], Iterator[Sensitive]]
_PATTERNS: tuple[tuple[Search, re.Pattern[str]], ...] = (
    (_ibans, _IBAN),
    (_cards, _CARD_LENGTH),
    (_phones, _PHONE),
    *((_national_ids, pattern) for pattern, _, _ in _NATIONAL),
)
_GATES = Gates([*_PATTERNS, (_mails, _EMAIL)])
