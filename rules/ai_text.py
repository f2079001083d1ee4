"""Features built on a model: which issues they are, and what they say of quality, fit, data and failure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from backlint.model import Evidence, Issue, IssueType
from backlint.rules.criteria_text import field_text
from backlint.rules.evidence import lines as lines_of
from backlint.rules.evidence import of_part, of_value, section_lines
from backlint.rules.rule import Context, Rule
from backlint.text.document import Document, Item

AI_FIELDS = ("ai", "is_ai", "model_based", "machine_learning")
# A learned behaviour, by language of the title. "Model" alone is a data model as often as not, a prompt is mostly a
# question to the user, and embedding is what one does with pages.
_LEARNED = re.compile(
    r"""(?<![\w-])(?:(?:machine[- ]learning|ml|ai|language|prediction|scoring|ranking|classification|vision|speech
        |neural|foundation)[- ]models?
        |classifiers?|recommend(?:ation|ations|er|ers)|re-?ranking|ranking|predict(?:ion|ions|ive|or)|llms?|gpt(?:-\w+)?
        |(?:system|llm|gpt|ai)[- ]prompts?|prompts?[- ](?:templates?|engineering|library|tuning|injection)
        |embeddings|(?:text|word|sentence|vector|image)[- ]embedding|generative|chat\s?bots?|copilot|assistants?
        |machine[- ]learning|deep[- ]learning|anomaly\ detection|sentiment\ (?:analysis|detection)
        |auto(?:matic(?:ally)?)?[- ]?(?:categori[sz]|classif|triag)\w*|semantic\ search|speech[- ]to[- ]text|(?-i:AI
        |ML|KI)
        |sprachmodell\w*|klassifikator\w*|empfehlung(?:en|ssystem)?|vorhersage\w*|prognosemodell|ki[- ]\w+
        |mod[èe]le\ (?:de\ langage|pr[ée]dictif)|classifieur|recommandations?|pr[ée]diction|ia\ g[ée]n[ée]rative
        |modelo\ (?:de\ lenguaje|predictivo|de\ linguagem|preditivo)|clasificador|recomendaci(?:ones|[óo]n)
        |predicci[óo]n
        |classificador|recomenda[çc](?:[õo]es|[ãa]o)|previs[ãa]o|ia\ generativa
        |modello\ (?:linguistico|predittivo)|classificatore|raccomandazioni|previsione
        |taalmodel|aanbeveling(?:en)?|voorspelling|model\ językowy|klasyfikator|rekomendacj[ei]
        |predykcj[ai])(?![\w-])""",
    re.VERBOSE | re.IGNORECASE,
)
_BUILD = re.compile(
    r"""(?<!\w)(?:build|train|add|use|introduce|implement|create|develop|integrate|launch|ship|recommend|predict
        |classif\w+|rank|generate|suggest|detect|auto[- ]?\w+|fine[- ]tune|evaluate
        |improve|replace|route|score|summari[sz]e|extract|translate|enable|offer|deploy|prototype|personali[sz]e
        |baue\w*|trainier\w*|einführ\w*|nutze\w*|erstell\w*|entwickel\w*|empfehl\w*|vorhersag\w*|klassifizier\w*
        |cr[ée]er|construire|entra[îi]ner|utiliser|ajouter|d[ée]velopper|recommander|pr[ée]dire|classer
        |crear|construir|entrenar|usar|a[ñn]adir|desarrollar|recomendar|predecir|clasificar|criar|treinar|adicionar
        |desenvolver|prever
        |creare|costruire|addestrare|usare|aggiungere|sviluppare|raccomandare|prevedere
        |bouw\w*|train\w*|gebruik\w*|ontwikkel\w*|aanbevel\w*|zbudowa\w*|wytrenowa\w*|doda\w*|stworzy\w*)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)


class AiRule(Rule):
    """What the rules about features built on a model share: whom they speak of, and how they read."""

    types: frozenset[IssueType] = frozenset({IssueType.EPIC, IssueType.INITIATIVE, IssueType.STORY})
    ai_labels: tuple[str, ...] = ("ai", "ml", "llm", "model", "data-science")  # catalogue AIF
    inherit_depth: int = 3  # parents looked at upwards, as for outcomes; 0 looks at none

    def why_outside(self, issue: Issue) -> str | None:
        """Why the issue is no feature built on a model; None when it is one."""
        labels = {label.casefold() for label in issue.labels}
        if labels & {label.casefold() for label in self.ai_labels}:
            return None
        if any(_is_yes(issue.fields.get(name)) for name in AI_FIELDS):
            return None
        if _LEARNED.search(issue.title) and _BUILD.search(issue.title):
            return None
        return "no feature built on a model"

    def stated(
        self, issue: Issue, context: Context, fields: Iterable[str], headings: re.Pattern[str], phrases: re.Pattern[str]
    ) -> Evidence | None:
        """What the issue or one above it says: a field, a section whose heading promises it, or a sentence."""
        for each in (issue, *context.backlog.ancestors(issue, depth=self.inherit_depth)):
            found = next(_places(each, context.texts.body(each), fields, headings, phrases), None)
            if found is not None:
                if each is issue:
                    return found
                return Evidence(
                    kind=found.kind, field="parent", excerpt=found.excerpt, note=f"inherited from {each.key}"
                )
        return None


def _is_yes(value: object) -> bool:
    return value is True or str(value or "").strip().casefold() in ("yes", "true", "1", "ja", "oui", "sí", "sim", "tak")


def _places(
    issue: Issue, document: Document, fields: Iterable[str], headings: re.Pattern[str], phrases: re.Pattern[str]
) -> Iterator[Evidence]:
    for name in fields:
        text = field_text(issue, name)
        if text.strip():
            yield of_value("F", f"fields.{name}", text)
    for section in document.sections:
        if headings.search(section.heading):
            long = [line for line in section_lines(section) if isinstance(line, Item)]
            if long:
                yield of_part(document, long[0], kind="S", field="body")
    for line in lines_of(document):
        if phrases.search(line.text):
            yield of_part(document, line, kind="P", field="body")
    if phrases.search(issue.title):
        yield of_value("P", "title", issue.title)
