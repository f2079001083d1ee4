"""What makes an outcome measurable: a metric, a target number, a direction, a time limit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from backlint.rules.dates_text import find_limit
from backlint.text.any_case import AnyCase

# Indicators by themselves.
_METRIC = AnyCase(
    r"""(?<!\w)(?:
      (?<!reasonable\ )(?<!large\ )(?<!huge\ )(?<!small\ )(?<!certain\ )(?<!limited\ )(?<!any\ )(?<!same\ )
          (?<!fair\ )(?<!right\ )(?:rates?|ratio|share|percentage|number|count|volume|amount|score|index|level
          |frequency)(?=\ of\b|\W|$)
    | conversions?|activations?|retention|churn|adoption|engagement|revenue|turnover|sales|margin|cost|costs|spend
        |price|budget|savings
    | (?:response|load|loading|lead|cycle|build|start-?up|waiting|handling|resolution|processing|query|page|run|boot
        |install(?:ation)?|delivery)[- ]?times?|time\ (?:to|on|spent|needed)|latency|duration|delays?|throughput
        |uptime|downtime|availability
    | tickets?|(?:support|help)[- ](?:requests?|inquiries|enquiries|calls?|contacts?|cases?|load)|inquiries
        |complaints?|escalations?|refunds?
    | error\ rates?|failures?|incidents?|outages?|defects?|crashes|alerts?|timeouts?|regressions?
        |vulnerabilities|violations?
    | drop-?offs?|abandonment|bounces?|sessions?|visits?|visitors?|page\ ?views?|clicks?|click-?through
        |impressions?|ctr|sign-?ups?|registrations?|subscriptions?|subscribers?|renewals?|downloads?|installs?
        |installations?|logins?|trials?|purchases?|bookings?|transactions?
    | active\ (?:users?|customers?|members?|accounts?)|[mdw]au|nps|csat|ces|ltv|cac|arpu|mrr|arr
        |roi|sla|slo|gmv|seo\ (?:rank|score)|satisfaction|usability\ score
    | p(?:50|75|90|95|99)|percentile|median|coverage|accuracy|precision|recall|hit\ rate|parity
        |usage
    | (?:database|bundle|image|file|download|memory|disk)[- ](?:size|usage|footprint|consumption)
    | rate|quote|anteil|anzahl|umsatz|kosten|dauer|ladezeit|antwortzeit|durchlaufzeit|wartezeit|anfragen|beschwerden
        |fehler(?:quote|rate)?|ausfälle|abbrüche|abbruchquote|konversion(?:srate)?|zufriedenheit
        |verfügbarkeit|anmeldungen|bestellungen|tickets
    | taux|chiffre\ d'affaires|co[ûu]ts?|dur[ée]e|temps\ de\ \w+|d[ée]lai|demandes|plaintes|erreurs
        |pannes|satisfaction|inscriptions|commandes|abandons?
    | tasa|porcentaje|ingresos|ventas|coste?s?|duraci[óo]n|tiempo\ de\ \w+|solicitudes|quejas|errores
        |satisfacci[óo]n|registros|pedidos|abandono|conversi[óo]n|retenci[óo]n
    | taxa|percentagem|porcentagem|receita|vendas|custos?|dura[çc][ãa]o|tempo\ de\ \w+|pedidos|reclama[çc][õo]es
        |erros|satisfa[çc][ãa]o|convers[ãa]o|reten[çc][ãa]o
    | tasso|percentuale|ricavi|vendite|costi|durata|tempo\ di\ \w+|richieste|reclami|errori
        |soddisfazione|conversione
    | percentage|aantal|omzet|kosten|duur|laadtijd|reactietijd|doorlooptijd|klachten|fouten
        |tevredenheid|conversie|wska[źz]nik|odsetek|liczba|przych[óo]d|koszt(?:y|ów)?|czas\ \w+|zgłosze[ńn]
        |zgłoszenia|błęd(?:y|ów)|konwersj[aię]
    )(?![\w-])""",
)
# Things that are a measure only beside a number: "users" alone is a subject.
_COUNTED = AnyCase(
    r"""(?<!\w)(?:(?:active\ )?(?:users?|customers?|members?|accounts?|contributors?|clients?|agents?)|issues
        |backlog|builds?|deployments?|releases?
        |hours|minutes|days|effort|requests?|queries|size|memory|cpu|bandwidth|consumption|storage|capacity|bugs?
            |errors?|returns?|views?|leads?|orders?|offers?|payments?
        |performance|quality|average|mean|nutzer|kunden|utilisateurs|clients|usuarios|clientes|utilizadores
            |usu[áa]rios|utenti|clienti|gebruikers|klanten
        |użytkownik(?:ów|cy)|klient(?:ów|ci)|part|number|n[úu]mero|nombre|numero)(?![\w-])""",
)
# Indicators of the thing itself, seen as soon as it is there.
_AT_ONCE = re.compile(
    r"""(?:response|load|loading|build|start-?up|processing|query|page|run|boot|install(?:ation)?)[- ]?times?
        |time\ (?:to|on|spent|needed)|latency|duration|throughput|p(?:50|75|90|95|99)|percentile|median|coverage
        |accuracy|precision|recall|hit\ rate|parity|(?:database|bundle|image|file|download|memory|disk)[- ]\w+
        |ladezeit|antwortzeit|score|index|level|amount|number|count|volume|size""",
    re.VERBOSE | re.IGNORECASE,
)
# "Increase the offers": a thing that one counts, with where its number is to go.
_COUNT_MOVES = AnyCase(
    r"""(?<!\w)(?:increas(?:e|es|ed|ing)|decreas(?:e|es|ed|ing)|reduc(?:e|es|ed|ing)|rais(?:e|es|ing)|to\ lower
        |grow(?:s|ing)?|(?:to|will|should|and)\ boost|cut(?:s|ting)?|fewer)\s+
        (?:(?:the|our|their|its|number\ of|amount\ of)\s+)?
        (?:(?!in\b|of\b|by\b|to\b|for\b|and\b)[\w-]+\s+){0,2}?
        (?:users|customers|members|contributors|clients|requests|queries|orders|offers|payments|returns|views|leads|bugs|memory
        |cpu|bandwidth|consumption|traffic|demand|supply|inventory|hours|effort)(?![\w-]|\ of\b)""",
)
_HAS_DIGIT = re.compile(r"\d")
# What somebody can do in what time, and how much can go on at once.
_TASK_TIME = AnyCase(
    r"""(?<!\w)(?:must|should|can|could|will|shall|is|are|to)\s+(?:be\s+)?(?:able\s+to\s+)?[^.;\n]{3,80}?
        \b(?:within|in\ (?:less\ than|under|at\ most)|in\ no\ more\ than|under)\s+
        \d+\s*(?:ms|milliseconds?|s|secs?|seconds?|mins?|minutes?|hours?|clicks?|steps?)(?!\w)""",
)
_AT_ONCE_MANY = AnyCase(
    r"""(?<![\w.])\d[\d.,]*\s*k?\s+(?:[\w-]+\s+){0,3}?(?:can|must|should|are\ able\ to|will)\s+(?:be\s+|run\s+|all\s+)*
        (?:concurrently|simultaneously|in\ parallel|at\ (?:once|the\ same\ time))\b
        |(?<![\w.])(?:can|must|should|supports?|handles?)\s+[^.;\n]{0,40}?\d[\d.,]*\s*k?\s+(?:concurrent|simultaneous|parallel)\b""",
)
_UNIT = (
    r"(?:%|percent(?:age\ points?)?|prozent|pour\ cent|por\ ciento|por\ cento|per\ cento|procent|pp|ms"
    r"|milliseconds?|s|secs?|seconds?|sekunden?|secondes?|segundos?|min|mins|minutes?|minuten?|minutos?|h|hrs?"
    r"|hours?|stunden?|heures?|horas?|days?|tage?n?|jours?|d[ií]as?|weeks?|x|times|k|m|kb|mb|gb|tb|€|\$|£|eur"
    r"|usd)"
)
_NUMBER = r"[-+]?(?:\d{1,3}(?:[ .,’']\d{3})+|\d+)(?:[.,]\d+)?"
_TARGET = AnyCase(
    rf"""
      (?:from|von|de|du|desde|da|van|z)\s+[$€£]?{_NUMBER}\s*{_UNIT}?\s*(?:to|auf|à|a|hasta|para|naar|na
          |do)\s+[$€£]?{_NUMBER}
    | [$€£]?{_NUMBER}\s*{_UNIT}?\s*(?:→|->|=>|➔)\s*[$€£]?{_NUMBER}
    | (?<![\w.])[-+±]?{_NUMBER}\s*(?:%|percent|prozent|pour\ cent|por\ ciento|por\ cento|per\ cento|procent|pp(?!\w))
    | (?:[<>≤≥]=?|(?<!\w)(?:under|below|above|over|within|less\ than|fewer\ than|more\ than|at\ least|at\ most
        |no\ more\ than|no\ fewer\ than|not\ more\ than|up\ to|maximum(?:\ of)?|minimum(?:\ of)?|reach(?:es)?
        |exceeds?|every
        |unter|über|höchstens|mindestens|weniger\ als|mehr\ als|maximal|moins\ de|plus\ de|au\ plus|au\ moins|sous
            |menos\ de|m[áa]s\ de|al\ menos|como\ m[áa]ximo|mais\ de|pelo\ menos|no\ m[áa]ximo|meno\ di|pi[ùu]\ di
            |almeno|al\ massimo|minder\ dan|meer\ dan|minstens|hoogstens|mniej\ niż|więcej\ niż|co\ najmniej|poniżej
            |powyżej))
        \s+(?:the\ |a\ |of\ )*[$€£]?{_NUMBER}(?![\w.]*/)
    | (?<![\w])[<>≤≥]=?\s*[$€£]?{_NUMBER}
    | (?<!\w)(?:increase|decrease|reduce|cut|lower|raise|grow|drop|improve|bring|get|go|down|up|shrink
        |limit)\w*\b[^.;\n]{{0,60}}?\b(?:by|to|down\ to|up\ to)\s+[$€£]?{_NUMBER}(?![\w.]*[._]\d)
    | (?<!\w)(?:doubl(?:e|es|ed|ing)|halv(?:e|es|ed|ing)|tripl(?:e|es|ed|ing)|quadrupl\w+|twice|half\ (?:the|as|of)
        |zero|verdoppel\w*|halbier\w*|null|doubler|diviser\ par|r[ée]duire\ de\ moiti[ée]|z[ée]ro|duplicar|cero
        |dobrar|reduzir\ (?:à|pela)\ metade|raddoppi\w+|dimezza\w+|verdubbel\w*|halver\w*|podwoi\w*|zero)(?!\w)
    | {_NUMBER}\s*(?:times\s+)?(?:fewer|less|more|weniger|mehr|de\ moins|de\ plus|menos|m[áa]s|mais|in\ meno|minder
        |meer|mniej|więcej)(?!\w)(?!\s+(?:new\ )?(?:buttons?|screens?|pages?|features?|fields?))
    """,
)
# A bare year or a version after a comparator ("by 2026", "over 2.0.1") is no target.
_NO_TARGET = re.compile(r"(?:19|20)\d\d$|\d+\.\d+\.\d+|\bv\d", re.IGNORECASE)
_DIRECTION = AnyCase(
    r"""(?<!\w)(?:increas\w+|decreas\w+|reduc\w+|improv\w+|rais\w+|lower\w*|grow\w*|fewer|less|more|higher|better
        |faster|drop\w*|cut\w*|boost\w*|measured\ by|limits?
        |steiger\w*|erhöh\w*|senk\w*|verringer\w*|reduzier\w*|weniger|mehr|augment\w+|r[ée]dui\w+|diminu\w+|baiss\w+
            |aument\w+|mejor\w+|disminu\w+|menos|melhor\w+|ridu\w+|miglior\w+|verhog\w*|verlag\w*|verminder\w*
            |zwiększ\w*|zmniejsz\w*)(?!\w)""",
)
_BUILD = re.compile(
    r"""^\W*(?:(?:we|i)\s+(?:want|need|would\ like|plan)\s+to\s+|to\s+|please\s+)?(?:implement(?:s|ing|ation)?
        |build(?:s|ing)?
        |add(?:s|ing)?|ship(?:s|ping)?|migrat(?:es?|ing|ion)|creat(?:es?|ing|ion)|develop(?:s|ing)?|deliver(?:s|ing)?
        |releas(?:es?|ing)|launch(?:es|ing)?|introduc(?:es?|ing)|deploy(?:s|ing)?|write|install(?:s|ing)?|set\ up
        |integrat(?:es?|ing|ion)|refactor(?:s|ing)?|rewrite|upgrad(?:es?|ing)|publish(?:es|ing)?
        |implementier\w*|baue\w*|erstell\w*|einführ\w*|umsetz\w*|entwickel\w*|migrier\w*|impl[ée]ment\w+|cr[ée]er
            |ajouter|d[ée]velopper|livrer|construire|migrer|implementar|crear|a[ñn]adir|agregar|desarrollar|entregar
            |construir|migrar|criar|adicionar|desenvolver|implementare|creare|aggiungere|sviluppare|consegnare
            |implementeren|bouwen|toevoegen|ontwikkelen|zaimplementowa\w*|doda\w*|stworzy\w*|zbudowa\w*)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Which parts of a measurable outcome a text holds, each as written."""

    metric: str | None = None
    target: str | None = None
    direction: str | None = None
    limit: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        parts = (("metric", self.metric), ("number", self.target), ("date", self.limit))
        return tuple(name for name, found in parts if found is None)


@lru_cache(maxsize=1024)  # several rules measure the same statements
def measure(text: str) -> Measure:
    """The metric, the target, the direction and the time limit that a text names."""
    limit = find_limit(text)
    without_limit = text if limit is None else f"{text[: limit[0]]} {text[limit[1] :]}"
    performance = _TASK_TIME.search(text) or _AT_ONCE_MANY.search(text)
    target = _target(without_limit) or (performance.group().strip() if performance else None)
    counted = _COUNTED.search(without_limit) if target else None
    metric = _METRIC.search(without_limit) or counted or _COUNT_MOVES.search(without_limit) or performance
    direction = _DIRECTION.search(without_limit)
    return Measure(
        metric=metric.group().strip() if metric else None,
        target=target,
        direction=direction.group() if direction else None,
        limit=text[slice(*limit)].strip() if limit else None,
    )


def _target(text: str) -> str | None:
    for match in _TARGET.finditer(text):
        if not _NO_TARGET.search(match.group()):
            return match.group().strip()
    return None


def metrics(text: str) -> Iterator[tuple[int, int]]:
    """Where the text names metrics."""
    for match in _METRIC.finditer(text):
        yield match.start(), match.end()


def targets(text: str) -> Iterator[tuple[int, int, str]]:
    """Where the text sets targets; a time limit is none."""
    limit = find_limit(text)
    for match in _TARGET.finditer(text):
        is_limit = limit is not None and limit[0] <= match.start() < limit[1]
        if not is_limit and not _NO_TARGET.search(match.group()):
            yield match.start(), match.end(), match.group().strip()


def names_performance(text: str) -> bool:
    """Whether the text says what somebody can do in what time, or how much can go on at once."""
    return _HAS_DIGIT.search(text) is not None and (_TASK_TIME.holds(text) or _AT_ONCE_MANY.holds(text))


def names_business(text: str) -> bool:
    """Whether the text names what can only be measured later, in use: sign-ups, cost, tickets. Coverage, parity, sizes
    and response times can be looked at on the day the work is finished."""
    return any(not _AT_ONCE.fullmatch(match.group()) for match in _METRIC.finditer(text))


def is_output(text: str) -> bool:
    """Whether the text opens with a verb of building: "implement SSO" is work, not an outcome."""
    return bool(_BUILD.match(text))
