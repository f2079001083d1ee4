"""TXT003: a title that names neither the thing nor the change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Severity
from backlint.rules.evidence import of_value
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule
from backlint.text.words import count_words, normalised, unspaced_characters

# Words that name no thing, by language, with the small words that stand between them. A title is only called generic
# when all its words are in one language's list, which is why the language itself need not be known.
_GENERIC = {
    language: frozenset(words.split())
    for language, words in {
        "en": "fix fixes fixed fixing bug bugs issue issues error errors problem problems update updates updated"
        " upgrade"
        " change changes changed misc miscellaneous various stuff things test tests testing refactor refactoring"
        " cleanup"
        " clean up improve improvement improvements enhancement enhancements tweak tweaks task todo story feature new"
        " request work wip small minor some several other more the a an and or of to for in it this that needs need"
        " question help broken not working doesn't does is please important urgent asap general review add make",
        "de": "fehler bug beheben behoben problem probleme änderung änderungen anpassung anpassungen verbesserung"
        " verbesserungen aufräumen test tests diverse diverses sonstiges kleinere kleine update aktualisierung aufgabe"
        " der die das und oder ein eine zu im in für nicht geht funktioniert bitte wichtig dringend neue neues"
        " allgemein",
        "fr": "corriger correction corrections bug bugs erreur erreurs problème problèmes changement changements"
        " amélioration améliorations mise à jour divers diverses test tests tâche nouvelle petit petits petites le la"
        " les"
        " un une des et ou de du pour ne marche pas fonctionne urgent important",
        "es": "arreglar corregir corrección error errores problema problemas cambio cambios mejora mejoras"
        " actualización"
        " actualizar varios varias prueba pruebas tarea nuevo nueva pequeño pequeños el la los las un una y o de para"
        " no"
        " funciona urgente importante bug",
        "pt": "corrigir correção erro erros problema problemas mudança mudanças alteração alterações melhoria melhorias"
        " atualização atualizar vários várias teste testes tarefa novo nova pequenos o a os as um uma e ou de para não"
        " funciona urgente importante bug",
        "it": "correggere correzione errore errori problema problemi modifica modifiche miglioramento miglioramenti"
        " aggiornamento vari varie test prova attività nuovo nuova piccoli piccole il la i le un una e o di per non"
        " funziona urgente importante bug",
        "nl": "fout fouten oplossen bug probleem problemen wijziging wijzigingen verbetering verbeteringen update"
        " diverse"
        " test taak nieuwe kleine de het een en of van voor werkt niet belangrijk dringend",
        "pl": "błąd błędy naprawić poprawka poprawki problem problemy zmiana zmiany ulepszenie ulepszenia aktualizacja"
        " różne test testy zadanie nowe nowy małe i lub do na dla nie działa ważne pilne bug",
    }.items()
}
# "[Bug]: ", "feat(ui): ": what a form or a habit puts before a title.
_PREFIX = re.compile(
    r"^(?:\s*(?:\[[^\]]{1,30}\]|\([^)]{1,30}\)|[\w/-]{1,20}(?:\([^)]{1,30}\))?!?\s*[:：])\s*[-:–—]*\s*)+"
)
_WORD = re.compile(r"[^\W_][\w'’-]*")
MIN_UNSPACED = 6  # catalogue 1.7: characters that count as a text in scripts without spaces


class VagueTitle(Rule):
    """The title does not say what or where.

    Why it matters: titles are what people see in boards, plans and searches; "Fix bug" is found by nobody.

    How to fix: the thing and the change: "PDF export: crash on an empty file".

    Not flagged: short titles that open with a verb of the option `allow` and name one thing ("Remove
    legacyAuth"); titles in scripts without spaces from six characters on. A prefix such as "[Bug]:" is not counted.
    """

    code = "TXT003"
    name = "vague-title"
    severity = Severity.INFO
    question = "Could the title name the thing and the change?"
    dimension = "clarity"

    types: frozenset[IssueType] = EVERY_TYPE
    min_words: int = 3  # catalogue TXT003: two words or fewer say too little
    min_characters: int = 11  # catalogue TXT003: so do ten characters
    max_characters: int = 120  # catalogue TXT003: longer ones are cut off in every list
    allow: tuple[str, ...] = ("remove", "create", "implement")  # first words of short titles that say enough

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        why = self._why(issue.title)
        if why is not None:
            yield self.fail(issue, context, why, evidence=[of_value("P", "title", issue.title)])

    def _why(self, title: str) -> str | None:
        bare = _PREFIX.sub("", title).strip()
        if not _WORD.search(bare):
            return "The title is only a prefix." if title.strip() else "There is no title."
        if len(title) > self.max_characters:
            return f"The title has {len(title)} characters; lists show {self.max_characters}."
        if _is_generic(bare):
            return "The title does not say what or where."
        unspaced = unspaced_characters(bare)
        if unspaced:
            return (
                "The title does not say what or where."
                if unspaced < MIN_UNSPACED and len(bare) < 2 * MIN_UNSPACED
                else None
            )
        # A prefix that names a place ("PDF: crash") is part of what the title says, unless it only names a type.
        whole = title if title != bare and not _is_generic(_prefix(title, bare)) else bare
        is_short = count_words(whole) < self.min_words or len(whole.strip()) < self.min_characters
        if is_short and not self._is_allowed(bare):
            return "The title does not say what or where."
        return None

    def _is_allowed(self, title: str) -> bool:
        words = title.split()
        return len(words) > 1 and words[0].casefold() in {word.casefold() for word in self.allow}

    flagged = (
        Example("two words that name nothing", an_issue(title="Fix bug"), evidence="Fix bug"),
        Example("only a form's prefix", an_issue(title="[Bug]: ")),
        Example("a prefix and one word", an_issue(title="[Bug]: crash")),
        Example("only generic words", an_issue(title="Various small fixes and improvements")),
        Example("German", an_issue(title="Diverse kleine Verbesserungen")),
        Example("ten characters", an_issue(title="a b c d e")),
        Example("too long for any list", an_issue(title="The export of the invoice list " * 5)),
        Example("Chinese, two characters", an_issue(title="修复")),
    )
    passed = (
        Example("a verb and the thing", an_issue(title="Remove legacyAuth")),
        Example("a place and a fault", an_issue(title="PDF: crash on 0-byte file")),
        Example("a plain title", an_issue(title="Export the invoice list as CSV")),
        Example("a prefix before a title", an_issue(title="[Bug]: export loses the last row")),
        Example("Japanese", an_issue(title="請求書一覧の出力が失敗する")),
        Example("a generic word beside a thing", an_issue(title="Fix export of invoices")),
    )


def _prefix(title: str, bare: str) -> str:
    return title[: len(title) - len(bare)] if title.endswith(bare) else title.replace(bare, " ")


def _is_generic(text: str) -> bool:
    words = [word.casefold() for word in _WORD.findall(normalised(text))]
    return bool(words) and any(known.issuperset(words) for known in _GENERIC.values())
