"""Words by which nobody can check a criterion, and the anchors that make up for them; lists by language."""

from __future__ import annotations

import re

_VAGUE = {
    "en": r"""fast(?:er)?|quick(?:ly|er)?|eas(?:y|ier|ily)|simpl(?:e|er|y)|intuitive(?:ly)?|user[- ]friendly
        |seamless(?:ly)?
        |robust(?:ly)?|efficient(?:ly)?|appropriate(?:ly)?|adequate(?:ly)?|suitabl[ey]|proper(?:ly)?|correctly
        |smooth(?:ly)?
        |as\ expected|as\ (?:needed|required|necessary|appropriate|usual)|works
        |better
        |improved?|several|some|various|etc\.?|and\ so\ on|and\ more|gracefully|if\ possible|where\ possible
        |nice(?:ly)?|good
        |well|sensible|reasonabl[ey]|modern|clean(?:ly)?|flexible|scalable|reliabl[ey]|performant|optimi[sz]ed
        |consistent(?:ly)?
        |sufficient(?:ly)?|minimal|high[- ]quality|state[- ]of[- ]the[- ]art|clear(?:ly)?|normal(?:ly)?|timely|soon
        |relevant""",
    "de": r"""schnell(?:er|e[rsnm]?)?|einfach(?:er|e[rsnm]?)?|leicht(?:er|e[rsnm]?)?|intuitiv(?:er|e[rsnm]?)?
        |benutzerfreundlich\w*
        |nahtlos\w*|robust\w*|effizient\w*|angemessen\w*|geeignet\w*|richtig\w*|korrekt\w*|ordnungsgemäß|wie\ erwartet
        |funktioniert|besser\w*|verbessert|mehrere|einige|diverse|verschiedene|usw\.?|etc\.?|und\ so\ weiter
        |wenn\ möglich
        |falls\ möglich|schön\w*|gut|sinnvoll\w*|vernünftig\w*|modern\w*|sauber\w*|flexibel|zuverlässig\w*|performant
        |ausreichend\w*|übersichtlich\w*|zeitnah""",
    "fr": r"""rapide(?:s|ment)?|facile(?:s|ment)?|simple(?:s|ment)?|intuiti(?:f|ve)s?|convivial\w*|fluide|robuste
        |efficace(?:ment)?
        |appropri[ée]\w*|ad[ée]quat\w*|correctement|comme\ (?:pr[ée]vu|attendu)|fonctionne|mieux|meilleur\w*
        |am[ée]lior\w+
        |plusieurs|certain(?:e?s)|divers(?:es)?|etc\.?|si\ possible|joli\w*|bien|raisonnable\w*|moderne
        |propre(?:ment)?|souple
        |fiable|suffisant\w*|clair(?:e|ement)?""",
    "es": r"""r[áa]pid[oa]s?|r[áa]pidamente|f[áa]cil(?:es|mente)?|simple(?:s|mente)?|sencill[oa]s?|intuitiv[oa]s?
        |fluid[oa]|robust[oa]s?
        |eficiente(?:s|mente)?|apropiad[oa]s?|adecuad[oa]s?|adecuadamente|correctamente|como\ se\ espera|funciona
        |mejor(?:es)?
        |vari[oa]s|algun[oa]s|divers[oa]s|etc\.?|si\ es\ posible|bonit[oa]|bien|razonable|modern[oa]|limpi[oa]|fiable
        |suficiente
        |clar[oa]|claramente""",
    "pt": r"""r[áa]pid[oa]s?|rapidamente|f[áa]cil|facilmente|simples|intuitiv[oa]s?|fluid[oa]|robust[oa]s?
        |eficiente(?:s|mente)?
        |apropriad[oa]s?|adequad[oa]s?|adequadamente|corretamente|como\ esperado|funciona|melhor(?:es)?|v[áa]ri[oa]s
        |algun?s
        |algumas|divers[oa]s|etc\.?|se\ poss[íi]vel|bonit[oa]|bem|razo[áa]vel|modern[oa]|limp[oa]|confi[áa]vel
        |suficiente
        |clar[oa]|claramente""",
    "it": r"""veloc[ei](?:mente)?|rapid[oaie]|rapidamente|facil[ei]|facilmente|semplic[ei]|semplicemente
        |intuitiv[oaie]|fluid[oa]
        |robust[oa]|efficient[ei]|appropriat[oaie]|adeguat[oaie]|adeguatamente|correttamente|come\ previsto|funziona
        |meglio
        |miglior[ei]|divers[ei]|alcun[ei]|vari[ei]?|ecc\.?|etc\.?|se\ possibile|bell[oa]|bene|ragionevole|modern[oa]
        |pulit[oa]
        |affidabile|sufficiente|chiar[oa]|chiaramente""",
    "nl": r"""snel(?:ler|le)?|gemakkelijk\w*|makkelijk\w*|eenvoudig\w*|simpel\w*|intuïtief|intuïtieve
        |gebruiksvriendelijk\w*|naadloos
        |robuust|efficiënt\w*|passend\w*|geschikt\w*|juist|correct|goed|naar\ behoren|zoals\ verwacht|werkt|beter
        |verbeterd
        |meerdere|enkele|diverse|verschillende|enzovoort|enz\.?|etc\.?|indien\ mogelijk|mooi|redelijk\w*|modern\w*
        |netjes
        |betrouwbaar|voldoende|duidelijk""",
    "pl": r"""szybk[oi]\w*|szybciej|łatw[yoa]|łatwiej|prost[yea]|intuicyjn\w+|przyjazn\w+|płynn\w+|solidn\w+|wydajn\w+
        |odpowiedni\w*
        |właściw\w+|poprawnie|prawidłowo|zgodnie\ z\ oczekiwaniami|działa|lepiej|lepsz\w+|kilka|niektóre|różn[ey]
        |itd\.?|itp\.?
        |jeśli\ to\ możliwe|ładn\w+|dobrze|rozsądn\w+|nowoczesn\w+|czyst\w+|elastyczn\w+|niezawodn\w+|wystarczając\w+
        |czyteln\w+""",
}
_WORDS = {
    language: re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.VERBOSE | re.IGNORECASE)
    for language, words in _VAGUE.items()
}
# A number, quoted text, a code in capitals, a named state, a comparison, a link: what one can look at.
_ANCHOR = re.compile(
    r"""\d | ["“„«»‘`][^"”“«»’`\n]{1,80}["”“»«’`] | (?<!\w)'[^'\n]{2,80}'(?!\w) | https?:// | [<>≤≥=]=?
        | (?-i:\b[A-Z][A-Z_]{2,}\b)
      | \b(?:status|state|zustand|statut|estado|stato)\b
      | \b(?:at\ (?:least|most)|no\ (?:more|fewer|less)\ than|more\ than|less\ than|fewer\ than|exactly|within|equals?
      |identical|the\ same
          |mindestens|höchstens|genau|innerhalb|au\ (?:moins|plus)|exactement|al\ menos|como\ m[áa]ximo|exactamente
          |pelo\ menos|no\ m[áa]ximo
          |exatamente|almeno|al\ massimo|esattamente|minstens|hoogstens|precies|co\ najmniej|co\ najwyżej|dokładnie)\b
      | \b(?:enabled|disabled|visible|invisible|hidden|active|inactive|read[- ]only|selected|checked|unchecked
      |required|optional|empty|blank
          |sorted|logged\ (?:in|out)|locked|unlocked|open(?:ed)?|closed|deleted|saved|redirected|highlighted|greyed
          |grayed
          |aktiviert|deaktiviert|sichtbar|ausgeblendet|gesperrt|leer|sortiert|gespeichert|gelöscht
          |activ[ée]|d[ée]sactiv[ée]|masqu[ée]|vide|tri[ée]|habilitad[oa]|deshabilitad[oa]|ocult[oa]|vac[íi][oa]
          |ordenad[oa]
          |desabilitad[oa]|vazi[oa]|abilitat[oa]|disabilitat[oa]|nascost[oa]|vuot[oa]|ordinat[oa])\b""",
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s)\W*$")


def is_anchored(text: str) -> bool:
    """Whether the text holds something that one can look at or measure."""
    return _ANCHOR.search(text) is not None


def vague_word(text: str, language: str, *, more: tuple[str, ...] = (), known: tuple[str, ...] = ()) -> str | None:
    """The first vague word of the text; words of a name ("Fast Checkout") and of the team's glossary are not vague."""
    glossary = [term.casefold() for term in known]
    folded = text.casefold()
    for match in _WORDS[language].finditer(text):
        if not _is_name(text, match) and not any(_covers(folded, term, match) for term in glossary):
            return match.group()
    return next((word for word in more if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)), None)


def any_vague_word(text: str, more: tuple[str, ...] = ()) -> bool:
    """Whether a word is vague in any language: a quick no before the language is asked for."""
    return bool(more) or any(pattern.search(text) for pattern in _WORDS.values())


def _is_name(text: str, match: re.Match[str]) -> bool:
    """A capital in mid-sentence is a name's."""
    return match.group()[0].isupper() and _SENTENCE_START.search(text[: match.start()][-40:]) is None


def _covers(folded: str, term: str, match: re.Match[str]) -> bool:
    start = folded.find(term, max(0, match.start() - len(term)))
    return 0 <= start <= match.start() and match.end() <= start + len(term)
