"""What a heading opens, in every enabled language at once, because short texts are detected badly (catalogue 1.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from backlint.text.words import count_words, normalised


class Meaning(StrEnum):
    """What a heading opens (catalogue 1.10); matched against the union of all enabled languages."""

    ACCEPTANCE = "acceptance"
    OUTCOME = "outcome"
    OWNER = "owner"
    REVIEW = "review"
    STEPS = "steps"
    EXPECTED = "expected"
    ACTUAL = "actual"
    OUT_OF_SCOPE = "out_of_scope"
    GUARDRAIL = "guardrail"
    EXCLUDED = "excluded"  # definition of done, before you submit, environment, sub-tasks, to do
    OTHER = "other"


OTHER = frozenset({Meaning.OTHER})
# A heading that says more than this is a sentence, and what it mentions is not what it opens; questions run longer.
MAX_HEADING_WORDS = 10
MAX_QUESTION_WORDS = 20

# Phrases are regular expressions over the normalised heading. The first table holds what may stand inside a longer
# heading ("What is the expected correct behaviour?"), the second what counts only as the whole heading.
_INSIDE: Mapping[Meaning, tuple[str, ...]] = MappingProxyType(
    {
        Meaning.ACCEPTANCE: (
            r"accept(?:ance|ed|ence)?\.?[ -]+(?:crit\w+|condition\w*|test\w*|requirements?)",
            r"(?:user )?acceptance", r"conditions? of (?:satisfaction|acceptance)", r"satisfaction criteria",
            r"criteria (?:for|of) (?:acceptance|completion|done|satisfaction)",
            r"(?:test|testing|completion|done|verification|uat|exit) criteria",
            r"(?:completion|exit|test) conditions",
            r"(?:is |it's |we are |we're )?done when", r"accepted (?:when|if)",
            r"(?:story|task|ticket|issue|feature|work|this|it) is (?:done|completed?|finished) (?:when|if|once)",
            r"what (?:does )?(?:done|finished) (?:looks? like|means?)",
            r"how (?:do|will|can) (?:we|i|you) (?:know|tell)\b.{0,25}\bdone\b",
            r"(?:akzeptanz|abnahme|fertigstellungs)[ -]?(?:kriteri\w+|bedingung\w*|test\w*)", r"fertig,? wenn",
            r"erledigt,? wenn", r"erf[uü]llt,? wenn",
            r"crit[eè]res? d['e ]*(?:acceptation|acceptance|validation)", r"conditions? d['e ]*acceptation",
            r"tests? d['e ]*acceptation", r"termin[eé]e? (?:quand|lorsque|si)",
            r"criterios? de (?:aceptaci[oó]n|aceptación)", r"condiciones de (?:aceptaci[oó]n|satisfacci[oó]n)",
            r"pruebas? de aceptaci[oó]n", r"(?:hech|terminad)[oa] cuando",
            r"crit[eé]rios? de (?:aceita[cç][aã]o|aceite)", r"condi[cç][oõ]es de (?:aceita[cç][aã]o|aceite)",
            r"testes? de (?:aceita[cç][aã]o|aceite)", r"pront[oa] quando",
            r"criteri(?:o)? di accettazione", r"condizioni di accettazione", r"test di accettazione",
            r"acceptatie ?(?:criteri\w*|voorwaarden|test\w*)",
            r"kryteri(?:a|um) (?:akceptacji|odbioru)", r"warunki (?:akceptacji|odbioru)",
            r"a(?:cc|kc)ept(?:ans)?kriteri\w*", r"aksept(?:anse)?kriteri\w*", r"hyv[aä]ksymiskriteeri\w*",
            r"akcepta[cč]n\w+ krit[eé]ri\w+", r"krit[eé]ri\w+ p[rř]ijet[ií]",
            r"elfogad[aá]si (?:krit[eé]rium|felt[eé]tel)\w*",
            r"criterii de accept\w+", r"kabul (?:kriter|ko[sş]ul)\w*", r"kriteria (?:penerimaan|penyelesaian)",
            r"tiêu chí (?:chấp nhận|nghiệm thu)",
            r"критер\w+ (?:при[её]мк\w+|приймання|прийняття)", r"κριτ[ηή]ρια αποδοχ[ηή][ςσ]",
            r"(?:معايير|شروط) القبول", r"(?:קריטריוני|תנאי) ה?קבלה", r"स्वीकृति (?:मानदंड|मापदंड)",
            r"受け?入れ?(?:条件|基準|要件|テスト)", r"完了(?:条件|基準)",
            r"(?:验收|接受|完成)(?:标准|条件|准则)", r"驗收(?:標準|條件)", r"(?:인수|수용|완료|승인) ?(?:조건|기준)",
        ),
        Meaning.OUTCOME: (
            r"success (?:metrics?|measures?|criteria|criterion|indicators?)",
            r"(?:expected|desired|intended|target(?:ed)?) (?:impact|outcomes?|benefits?|value)",
            r"(?:business|customer|user) (?:impact|outcomes?|benefits?|value)",
            r"outcomes? (?:&|and) [\w ]+",
            r"(?<!sprint )goals?",  # a sprint's goal is no outcome of the issue
            r"hypothes[ie]s", r"benefits?", r"key results?", r"what does success look like\b.*",
            r"(?:primary|key|target|desired|north star) metrics?",
            r"how (?:do|will) we measure success",
            r"why (?:is|are|do|does|should|would|it|we|this)\b.{0,40}\b"
            r"(?:important|matters?|need(?:ed)?|necessary|useful|valuable|worth|doing|do (?:this|it)|want|build)\b.*",
            r"objectives?",
            r"erfolgs(?:kriteri\w+|metrik\w*|kennzahl\w*)", r"(?:erwartete[rs]? )?(?:wirkung|nutzen)", r"hypothese",
            r"(?:projekt|gesch[aä]fts)?ziel(?:e|setzung)?",
            r"objectifs?", r"b[eé]n[eé]fices?", r"indicateurs? de (?:succ[eè]s|r[eé]ussite)", r"hypoth[eè]se",
            r"r[eé]sultats? attendus?",
            r"objetivos?", r"beneficios?", r"m[eé]tricas? de (?:[eé]xito)", r"hip[oó]tesis",
            r"benef[ií]cios?", r"m[eé]tricas? de sucesso", r"hip[oó]tese",
            r"obiettiv[oi]", r"benefici(?:o)?", r"metric(?:a|he) di successo", r"ipotesi",
            r"doel(?:en|stelling)?", r"succes(?:criteri\w*|metriek\w*)", r"hypothese",
            r"cel(?:e)?(?: biznesow[ye])?", r"korzy[sś][cć]i?", r"miernik\w* sukcesu", r"hipoteza",
        ),
        Meaning.OWNER: (
            r"dri", r"directly responsible(?: individual)?", r"(?:accountable|responsible)(?: person| owner)?",
            r"(?:business|product|story|epic|outcome|decision|issue|feature) owners?",
            r"verantwortlich(?:e[rs]?|keit(?:en)?)?", r"responsables?", r"respons[aá]ve(?:l|is)", r"responsabil[ei]",
            r"verantwoordelijke?", r"odpowiedzialn[yai]+", r"担当者?",
        ),
        Meaning.REVIEW: (
            r"(?:next )?review (?:date|on|by)", r"(?:next )?revisit(?: on| by| date)?", r"(?:date of )?next review",
            r"review again",
            r"[uü]berpr[uü]f(?:ung|en) am", r"n[aä]chste [uü]berpr[uü]fung", r"date de (?:revue|r[eé]vision)",
            r"fecha de revisi[oó]n", r"data (?:de|da) revis[aã]o", r"data di revisione",
            r"(?:datum )?herziening(?:sdatum)?",
            r"data przegl[aą]du",
        ),
        Meaning.STEPS: (
            r"(?:steps?|how|instructions?|procedure|ways?) (?:(?:on|for|of) )?(?:how )?(?:to|for|of)? ?"
            r"(?:re-?produc\w*|repro|replicat\w*|recreat\w*)",
            r"(?:to|for) reproduce", r"re-?production steps?", r"repro(?:duction)?(?: steps?| case| instructions?)?",
            r"reproduc(?:e|ing|ibility)(?: steps?)?",
            r"steps? (?:taken|followed)", r"replication steps?", r"to (?:replicate|recreate)(?: the \w+)?",
            r"test steps?", r"what (?:did|have) (?:you|i) (?:do|done|try|tried)\b.*",
            r"(?:schritte|anleitung) (?:zur|zum|zu) (?:reproduktion|reproduzieren|nachstellen)",
            r"reproduktionsschritte", r"reproduktion",
            r"[eé]tapes? (?:pour|de) (?:le |la )?reprodu\w+", r"comment reproduire",
            r"pasos? (?:para|de) (?:la )?reprodu\w+", r"c[oó]mo reproducir",
            r"passos? (?:para|de) (?:a )?reprodu\w+",
            r"como reproduzir",
            r"(?:passi|passaggi) per (?:la )?riprodu\w+", r"come riprodurre",
            r"stappen (?:om|voor) (?:te )?(?:de )?(?:reproduc\w+|na te \w+)",
            r"(?:kroki|jak) (?:do )?(?:odtworz\w+|reprodukcji)",
            r"再現(?:手順|方法)", r"[复重]现步骤",
        ),
        Meaning.EXPECTED: (
            r"expect(?:ed|ing)?(?: [\w-]+){0,3} "
            r"(?:behaviou?rs?|results?|outcomes?|outputs?|actions?|response|state|effect)",
            r"what (?:is|was|were|do|did|have|had)?(?: the| you| i| we)* ?(?:expected|expect)\b.*",
            r"(?:behaviou?r|results?) (?:you )?expected",
            r"(?:what )?should (?:have )?happen(?:ed)?(?: instead)?\b.*", r"desired (?:behaviou?r|result)",
            r"correct behaviou?r", r"expectations?", r"expectation vs\.? reality",
            r"expected (?:vs\.?|and|/|&) (?:actual|observed|current)\b.*",
            r"erwartete[srn]? (?:verhalten|ergebnis\w*|resultat)", r"soll[ -](?:verhalten|zustand|ergebnis)",
            r"comportements? attendus?", r"r[eé]sultats? attendus?", r"comportamientos? esperados?",
            r"resultados? esperados?",
            r"comportamentos? esperados?", r"comportament[oi] (?:atteso|previsto|desiderato)",
            r"risultat[oi] (?:atteso|previsto)",
            r"verwacht(?:e|) (?:gedrag|resultaat)", r"oczekiwan[ey] (?:zachowanie|rezultat|wynik)",
            r"期待(?:される|する)?(?:動作|結果|挙動)", r"(?:预期|期望)(?:行为|结果)",
        ),
        Meaning.ACTUAL: (
            r"(?:actual|current|observed|existing|present|incorrect|wrong|faulty)(?: [\w-]+){0,2} "
            r"(?:behaviou?rs?|results?|outcomes?|outputs?|response)",
            r"(?:behaviou?r|result) observed",
            r"what (?:actually |is )?(?:happen(?:s|ed)?|happening|occurr?(?:s|ed)|went wrong)\b.*",
            r"what (?:did|do|have)(?: you| i| we)? (?:see|saw|seen|observe|got|get)\b.*",
            r"expectation vs\.? reality", r"expected (?:vs\.?|and|/|&) (?:actual|observed|current)\b.*",
            r"tats[aä]chliche[srn]? (?:verhalten|ergebnis\w*|resultat)", r"aktuelle[srn]? (?:verhalten|ergebnis)",
            r"ist[ -](?:verhalten|zustand|ergebnis)",
            r"(?:comportements?|r[eé]sultats?) (?:actuels?|observ[eé]s?|obtenus?|constat[eé]s?)",
            r"(?:comportamientos?|resultados?) (?:actual(?:es)?|observados?|real(?:es)?|obtenidos?)",
            r"(?:comportamentos?|resultados?) (?:atua(?:l|is)|observados?|obtidos?)",
            r"(?:comportamento|risultato) (?:attuale|osservato|effettivo|reale)",
            r"(?:huidig|werkelijk|feitelijk|waargenomen)e? (?:gedrag|resultaat)",
            r"(?:aktualne|obecne|rzeczywiste|faktyczne|zaobserwowane) (?:zachowanie|dzia[lł]anie)",
            r"(?:rzeczywisty|faktyczny) (?:rezultat|wynik)",
            r"実際の(?:動作|結果|挙動)", r"(?:实际|当前)(?:行为|结果)",
        ),
        Meaning.OUT_OF_SCOPE: (
            r"(?:out|outside)[ -]of[ -](?:the )?scope", r"not in scope", r"scope exclusions?",
            r"won'?t (?:do|have|fix)s?", r"will not (?:do|have)",
            r"non[ -]?goals?", r"not (?:a )?goals?", r"(?:was )?nicht (?:enthalten|im umfang|teil)\b.*",
            r"nicht[ -]ziele?", r"au[sß]+erhalb des umfangs", r"abgrenzung",
            r"hors[ -](?:du )?(?:p[eé]rim[eè]tre|scope)", r"fuera de(?:l)? alcance", r"fora d[oe] escopo",
            r"fuori (?:dall'?)?(?:ambito|scope)",
            r"buiten (?:de )?scope", r"(?:poza|spoza) zakres\w*",
        ),
        Meaning.GUARDRAIL: (
            r"guard[ -]?rails?(?: metrics?)?", r"counter[ -]?metrics?", r"do[ -]no[ -]harm metrics?",
            r"leitplanken?",
            r"garde[ -]?fous?",
            r"m[eé]tricas? de (?:protecci[oó]n|prote[cç][aã]o)", r"contra[ -]?m[eé]tricas?",
        ),
        Meaning.EXCLUDED: (
            r"definitions? of (?:done|ready)", r"do[dr] checklist",
            r"(?:definition|kriterien) (?:von|für) (?:fertig|bereit)",
            r"d[eé]finition (?:de|du) (?:fini|termin[eé])",
            r"definici[oó]n de (?:hecho|terminado|listo)", r"defini[cç][aã]o de pronto", r"definizione di fatto",
            r"definitie van (?:klaar|gereed)", r"definicja (?:ukończenia|gotowości)",
            r"before (?:you )?(?:submit|open|creat|post|start|continu|report)\w*\b.*",
            r"pre[ -]?(?:flight|submission|requisites?)(?: check\w*)?",
            r"(?:submission|submitter|reporter|issue|author|review|reviewer|qa|release|deployment|pull request|pr|mr) "
            r"check ?lists?",
            r"(?:system|platform|device|version|browser|desktop|smartphone|server|client|build) "
            r"(?:info\w*|details?|specs?|version)",
            r"app version",
            r"sub[ -]?tasks?",
            r"(?:implementation|development|engineering|technical|work)[ -](?:tasks?|plan|steps?|items?|checklist)",
            r"action items?", r"(?:list of )?tasks? (?:to|for|list)\b.*", r"next steps?",
            r"teilaufgaben?", r"unteraufgaben?", r"sous[ -]t[aâ]ches?", r"subtareas?", r"subtarefas?",
            r"sotto ?attività", r"deeltaken", r"podzadania",
        ),
    }
)  # fmt: skip
_WHOLE: Mapping[Meaning, tuple[str, ...]] = MappingProxyType(
    {
        Meaning.ACCEPTANCE: (
            r"acs?", r"a/c", r"a\.c", r"cos", r"uat", r"deliverables?", r"expected (?:outcomes?|deliverables?)",
            r"criteria", r"criterion", r"accept(?:ance)?", r"akzeptanz",
        ),
        Meaning.OUTCOME: (
            r"outcomes?", r"goals?", r"why(?: now| this| us| it matters)?", r"impact", r"value", r"purpose",
            r"motivation", r"rationale", r"reasoning",
            r"metrics?", r"kpis?", r"expected (?:outcomes?|impact)",
            r"(?:the )?(?:goals?|objectives?|outcomes?|purpose) (?:of|for|&|and|/) [\w ,'-]+",
            r"what(?: is|'s) the (?:goal|objective|purpose|benefit|value|outcome)\b.*",
            r"motivation (?:and|&|/) [\w ]+", r"(?:goals?|objectives?|purpose) \w+",
            r"(?:business|value) (?:case|justification|proposition|need)", r"reasons?", r"justification",
            r"intent(?:ion)?",
            r"success looks like\b.*",
            r"warum(?: (?:machen|brauchen|ist|wollen|tun)\b.*)?", r"wieso", r"zweck", r"mehrwert",
            r"gesch[aä]ftswert",
            r"pourquoi", r"valeur (?:m[eé]tier|ajout[eé]e)", r"finalit[eé]",
            r"por qu[eéê]", r"prop[oó]sito", r"valor (?:de|do|para)(?: el| o)? neg[oó]cio", r"motivaci[oó]n",
            r"motiva[cç][aã]o",
            r"perch[eé]", r"scopo", r"waarom", r"dlaczego", r"цел[ьи]", r"зачем", r"mål", r"syfte", r"formål",
            r"ama[cç]",
            r"(?:背景[とや・])?目的(?:[とや・]背景)?", r"ねらい", r"狙い", r"ゴール",
            r"目[标標](?:[和与](?:价值|意义))?",
            r"目的[和与](?:价值|意义)", r"[价価價][值値]", r"목적", r"목표",
        ),
        Meaning.OWNER: (
            r"owners?", r"owned by", r"accountable", r"responsible", r"dri", r"eigent[uü]mer(?:in)?", r"eigenaar",
            r"propri[eé]taire", r"propietario", r"propriet[aá]rio", r"w[lł]a[sś]ciciel",
        ),
        Meaning.REVIEW: (
            r"revisit", r"review date", r"review on", r"review",
        ),
        Meaning.STEPS: (
            r"str", r"steps", r"repro", r"schritte", r"[eé]tapes", r"pasos", r"passos", r"passaggi", r"stappen",
            r"kroki",
        ),
        Meaning.EXPECTED: (
            r"expected", r"expectations?", r"should be", r"erwartet", r"erwartung", r"attendu", r"esperado",
            r"atteso", r"verwacht", r"oczekiwan[ey]",
        ),
        Meaning.ACTUAL: (
            r"actual", r"actually", r"observed", r"actual(?:ly)? (?:happens|happened)", r"tats[aä]chlich", r"obtenu",
            r"observ[eé]",
        ),
        Meaning.OUT_OF_SCOPE: (
            r"not included", r"exclusions?",
        ),
        Meaning.GUARDRAIL: (
            r"l[ií]mites", r"limites", r"must not get worse",
        ),
        Meaning.EXCLUDED: (
            r"(?:[\w-]+ )?environments?(?: info\w*| details?| set-?up)?", r"umgebung", r"environnement", r"entorno",
            r"ambiente", r"omgeving", r"środowisko", r"環境",
            r"to[ -]?dos?(?: list| items?)?", r"(?:things|work|still|what is left) to do",
            r"do[dr]", r"tasks?", r"check ?lists?", r"versions?", r"env", r"work items?",
            r"steps to (?:implement|complete)", r"aufgaben", r"t[aâ]ches", r"tareas", r"tarefas", r"attività",
            r"taken", r"zadania", r"作業", r"prerequisites?",
        ),
    }
)  # fmt: skip


def _whole(tables: tuple[Mapping[Meaning, tuple[str, ...]], ...]) -> dict[Meaning, re.Pattern[str]]:
    return {
        meaning: re.compile("|".join(phrase for table in tables for phrase in table.get(meaning, ())))
        for meaning in Meaning
        if meaning is not Meaning.OTHER
    }


_FULL = _whole((_WHOLE, _INSIDE))
_ANY_FULL = re.compile("|".join(pattern.pattern for pattern in _FULL.values()))
_PART = {meaning: re.compile(r"(?<!\w)(?:" + "|".join(phrases) + r")(?!\w)") for meaning, phrases in _INSIDE.items()}
_ASIDE = re.compile(r"\s*[(\[{][^()\[\]{}]*[)\]}]\s*")
_LEAD = re.compile(
    r"^(?:the|a|an|our|my|your|high[ -]level|additional|initial|proposed|suggested|optional|draft|main|key) "
)


@lru_cache(maxsize=8192)
def meanings_of_heading(text: str) -> frozenset[Meaning]:
    """What a heading opens; OTHER when it is none of ours."""
    whole = meanings_of_label(text)
    heading = _bare(text)
    if whole and "? " not in heading:
        return whole
    most = MAX_QUESTION_WORDS if "?" in text else MAX_HEADING_WORDS
    if not heading or count_words(heading) > most:
        return OTHER
    found = set(whole)
    outside = _PART[Meaning.OUT_OF_SCOPE].sub(" ", heading)  # "Non-goals" has no goals
    if outside != heading:
        found.add(Meaning.OUT_OF_SCOPE)
    for meaning, pattern in _PART.items():
        if pattern.search(outside):
            found.add(meaning)
    if Meaning.EXPECTED in found:
        found.discard(Meaning.OUTCOME)
    return frozenset(found) or OTHER


@lru_cache(maxsize=8192)
def meanings_of_label(text: str) -> frozenset[Meaning]:
    """What a line opens that consists of nothing but a known heading; empty when it does not."""
    if len(text) > 120:
        return frozenset()
    heading = _bare(text)
    if not _ANY_FULL.fullmatch(heading):
        bare = _LEAD.sub("", heading)
        if bare == heading or not _ANY_FULL.fullmatch(bare):
            return frozenset()
        heading = bare
    return frozenset(meaning for meaning, pattern in _FULL.items() if pattern.fullmatch(heading))


def _bare(text: str) -> str:
    """The heading for matching: normalised, without what stands in brackets ("Acceptance criteria (draft)")."""
    text = normalised(text).replace("*", "").replace("`", "")
    bare = _ASIDE.sub(" ", text) if ("(" in text or "[" in text or "{" in text) else text
    return normalised(bare) or text.strip("()[]{} ")
