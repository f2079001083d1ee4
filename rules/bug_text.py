"""Reads what a bug report says: how to see the fault, what happened, what should have happened, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backlint.model import Evidence, Issue, IssueType
from backlint.rules.criteria_text import field_text
from backlint.rules.evidence import lines as lines_of
from backlint.rules.evidence import of_part, of_value, section_lines
from backlint.rules.rule import Context
from backlint.text.document import Document, Dropped, DropReason, Item, Meaning, Section

BUG_TYPES = frozenset({IssueType.BUG, IssueType.INCIDENT})
# Names under which sources map fields of bug forms (catalogue 1.1 and what form authors call them).
STEPS_FIELDS = ("steps", "steps_to_reproduce", "reproduction")
EXPECTED_FIELDS = ("expected", "expected_behaviour", "expected_behavior", "expected_result")
ACTUAL_FIELDS = ("actual", "actual_behaviour", "actual_behavior", "actual_result", "what_happened")
MIN_STEPS = 2  # catalogue BUG001: one line of action outside a steps section is no list of steps

# -- steps -------------------------------------------------------------------------------------------------------------

# What one does with a program: enough by itself to tell how a fault is seen.
_USE = (
    r"(?:(?:double[- ]|right[- ]|left[- ])?click|tap|press|hit|swipe|scroll|hover|drag|drop|open|re-?open|visit|navigat"
    r"|brows|select|deselect|choos|chos|pick|enter|typ|log(?:ged|ging)?[ -]?(?:in|out|on|off)|sign(?:ed"
    r"|ing)?[ -]?(?:in|out|up)|toggl|expand|collaps"
    r"|submit|upload|download|refresh|re-?load|launch|execut|run|ran|invok|start|restart|zoom|resiz|rotat|maximi[sz]"
    r"|minimi[sz]"
    r"|go|goes|went|going|call|request|post|send|sent|unzip|deploy|redeploy|install|copy|copi|past|plug|attach|invit"
    r"|follow|search|filter|sort|switch)"
)
_FORM = r"(?:(?:p|g|t|b|n)?(?:s|es|e|ed|ing|y|ies|ied)?)"
# What one does to set a fault up: steps when they stand in a list or behind "when".
_SET_UP = (
    r"(?:add|create|creat|make|made|making|build|built|configur|set|change|chang|edit|delet|remov|enabl|disabl|import"
    r"|export|save|sav|write|writ|use|us|try|tri|insert|updat|upgrad|clos|wait|ensure|check|verify|notice|observe|see"
    r"|look"
    r"|view|load|read|put|move|mov|share|shar|print|kick|take|turn|uncomment|clone|generat|connect|disconnect|reduc"
    r"|increas|stop|kill"
    r"|having|have|provide|register|boost|comment|reply|kill|define|defin|specify|compil|render|return|mark|unmark"
    r"|cancel|receiv)"
)
_OTHER_IMPERATIVES = (
    r"(?:öffne|klicke?|drücke|wähle|gehe|gib|starte|melde|lade|rufe|lösche|lege|speichere"
    r"|ouvr(?:ir|ez)|cliqu(?:er|ez)|all(?:er|ez)|s[ée]lectionn(?:er|ez)|sais(?:ir|issez)|lanc(?:er|ez)|appuy(?:er|ez)"
    r"|cr[ée](?:er|ez)"
    r"|abr(?:ir|a|e)|haga\s+clic|hacer\s+clic|ir\s+a|vaya|seleccion(?:ar|e)|pulsar|pulse|introduc(?:ir|zca)|iniciar"
    r"|inicie|crear"
    r"|clicar|clique|v[áa]\s+para|v[áa]\s+em|selecion(?:ar|e)|digit(?:ar|e)|acess(?:ar|e)|criar|crie"
    r"|apr(?:ire|i)|clicc(?:are|a)|andare|vai|selezion(?:are|a)|preme(?:re)?|inseri(?:re|sci)|avvi(?:are|a)|crea(?:re)?"
    r"|klik|ga\s+naar|selecteer|kies|voer|druk|maak|otwórz|kliknij|przejdź|wybierz|wpisz|uruchom|zaloguj|utwórz)"
)
_ACTION = re.compile(
    rf"^\W*(?:\d+[.)]\s*)?(?:(?:then|now|next|first|finally|again|just|please|simply|also|and|i|we|you|to|user"
    rf"|the\s+user|as\s+(?:an?\s+)?\w+),?\s+){{0,3}}"
    rf"(?:(?:{_USE}|{_SET_UP}){_FORM}|{_OTHER_IMPERATIVES})\b",
    re.IGNORECASE,
)
_WHO = r"(?:i|we|you|one|he|she|they|the\s+user|users?|someone|somebody|anyone|an?\s+\w+|the\s+\w+)"
# "When I open a 0-byte file from Mail", "after clicking on the stage", "try hitting the button".
_UNDER_CONDITION = re.compile(
    rf"""(?<!\w)(?:
      (?:when(?:ever)?|if|after|once|while|upon|every\s+time|each\s+time|as\s+soon\s+as)\s+
        (?:{_WHO}\s+)?(?:(?:then|first|again|just|only|have|has|had|am|is|are|do|does|did|try|tries|tried|trying
        |attempt(?:s|ed|ing)?|want|go|went|going)\s+(?:to\s+|and\s+)?){{0,3}}
        (?:{_USE}|(?:create|creat|add|edit|delet|remov|sav|sett?|chang|us|writ|updat|import|export|insert|view|shar
        |hold){_FORM}\s+(?:an?|the|this|my|your|two|any|more|down)\b){_FORM}\b
    | by\s+(?:just\s+|simply\s+|then\s+)?{_USE}(?:p|g|t|b|n)?ing\b
    | (?:try|tries|tried|trying|attempt(?:ed|ing)?)\s+(?:to\s+)?(?:{_USE}|{_SET_UP}){_FORM}\b
    | (?:i|we|user|he|she)\s+(?:just\s+|have\s+|then\s+)?(?:{_USE})(?:p|g|t|b|n)?(?:e?d|ned|went|ran|sent|chose)\b
    | (?:wenn|sobald|nachdem|beim)\s+(?:ich|man|wir|der\s+\w+)?\s*[^.;\n]{{0,60}}?(?:öffn|klick|drück|wähl|start
    |aufruf|anmeld|eingeb|speicher|lad)\w*
    | (?:quand|lorsque|si|apr[èe]s|en)\s+[^.;\n]{{0,40}}?(?:ouvr|cliqu|appuy|s[ée]lectionn|lanc|sais|connect)\w*
    | (?:cuando|si|despu[ée]s\s+de|al)\s+[^.;\n]{{0,40}}?(?:abr|clic|puls|seleccion|inici|introduc)\w*
    | (?:quando|se|depois\s+de|ap[óo]s|ao)\s+[^.;\n]{{0,40}}?(?:abr|clic|pression|selecion|inici|digit|acess)\w*
    | (?:quando|se|dopo)\s+[^.;\n]{{0,40}}?(?:apr|clicc|prem|selezion|avvi|inseri)\w*
    | (?:wanneer|als|na)\s+[^.;\n]{{0,40}}?(?:open|klik|druk|kies|select|start)\w*
    | (?:gdy|kiedy|po|jeśli)\s+[^.;\n]{{0,40}}?(?:otwier|otwor|klik|wybier|wybra|uruch)\w*
    )\W+\w""",
    re.VERBOSE | re.IGNORECASE,
)
# A sentence of one's own that begins with an action and says where.
_IMPERATIVE = re.compile(
    rf"""(?:^|[.!?;:]\s+|\n\s*|\s\#\s+|(?:^|\s)\d{{1,2}}[.)]\s+|->\s*|=>\s*|→\s*|>\s+)\W{{0,3}}(?:then\s+|now\s+|next,?\s+
        |first,?\s+|just\s+|please\s+|i\s+|simply\s+)?
        (?:{_USE}{_FORM}|{_OTHER_IMPERATIVES})\s+(?:\w+\s+){{0,2}}?(?:to|on|in|into|at|the|an?|any|your|this|from|up
        |with|for|as|out|down|over|through)\b\W*\w""",
    re.VERBOSE | re.IGNORECASE,
)
_COMMAND = re.compile(
    r"""(?:^|\n)\s*(?:
        [$%#>❯]\s+[a-z./~][\w./-]*(?:\s|$)
      | (?:[\w.~/-]*[$#%]|\w+@[\w.-]+[^\n]{0,40}?[$\#>])\s+[a-z./][\w./-]+\s
      | (?:sudo\s+)?(?:\./)?(?:curl|wget|git|docker|docker-compose|kubectl|helm|npm|npx|yarn|pnpm|pip3?|python3?|node
      |java|mvn|gradle|make
          |cargo|go\s+(?:run|test|build)|ruby|bundle|rake|php|composer|ssh|psql|mysql|terraform|ansible\S*|brew
          |apt(?:-get)?|systemctl)\s+\S
      | (?:GET|POST|PUT|PATCH|DELETE)\s+(?:https?://|/)\S
      | [a-z][\w-]*(?:\s+[\w./:"'-]+){0,6}\s+--?[a-zA-Z][\w-]+
    )""",
    re.VERBOSE,
)
_SHELL = re.compile(
    r"\s*(?:```+|~~~+|\{code:)\s*(?:bash|sh|shell|zsh|console|terminal|powershell|cmd)\b", re.IGNORECASE
)
_REQUEST = re.compile(
    r"(?<!\w)(?:GET|POST|PUT|PATCH|DELETE)\s+(?:https?:/)?/[\w.{}:/?=&%-]+|\bcurl\s+(?:-|http)|\bAPI\s+call\b",
    re.IGNORECASE,
)
_REPRODUCTION = re.compile(
    r"https?://(?:[\w.-]*\.)?(?:codesandbox\.io|stackblitz\.com|jsfiddle\.net|codepen\.io|replit\.com|repl\.it"
    r"|plnkr\.co"
    r"|jsbin\.com|glitch\.com|play\.golang\.org|go\.dev/play|play\.rust-lang\.org|gist\.github\.com|godbolt\.org"
    r"|colab\.research\.google\.com|[\w.-]+/[\w./-]*(?:repro(?:duction)?|minimal[-_]example|mcve"
    r"|test[-_]?case)[\w./-]*)\S*",
    re.IGNORECASE,
)
_VIDEO = re.compile(
    r"\.(?:mp4|mov|webm|avi|mkv)\b|https?://(?:[\w.-]*\.)?(?:youtube\.com|youtu\.be|vimeo\.com|loom\.com)/"
    r"|!\S+\.(?:mp4|mov|webm)",
    re.IGNORECASE,
)
# A section that only says how often, or that nobody knows.
_NO_STEP = re.compile(
    r"\W*(?:always|sometimes|often|rarely|randomly?|intermittent(?:ly)?|unknown|not\s+(?:sure|known|reproducible)"
    r"|can(?:no|')t\s+reproduce"
    r"|no\s+idea|hard\s+to\s+(?:say|reproduce)|any\s+\w+(?:\s+\w+)?|every\s+time|\d+\s*(?:%|/\s*\d+))\W*",
    re.IGNORECASE,
)


def stated_steps(issue: Issue, context: Context) -> Evidence | None:
    """How to see the fault: a field, a section, a list of actions, a command, a link, or an action told in prose."""
    return context.once("steps", issue, lambda: _stated_steps(issue, context))


def _stated_steps(issue: Issue, context: Context) -> Evidence | None:
    document = context.texts.body(issue)
    ways = (
        _in_fields(issue, STEPS_FIELDS, context),
        _steps_in_sections(document),
        _list_of_actions(document),
        _in_code(document),
        _link(document),
        _in_prose(document),
        _in_title(issue),
    )
    return next((found for way in ways for found in way), None)


def _in_fields(issue: Issue, names: tuple[str, ...], context: Context) -> Iterator[Evidence]:
    for name in names:
        text = field_text(issue, name)
        if text.strip():
            document = context.texts.read(text, issue.markup)
            if lines_of(document) or any(line.reason is DropReason.CODE for line in document.dropped):
                yield of_value("F", f"fields.{name}", text)


def _steps_in_sections(document: Document) -> Iterator[Evidence]:
    for section in document.under(Meaning.STEPS):
        lines = [line for line in section_lines(section) if not _NO_STEP.fullmatch(line.text)]
        long = next((line for line in lines if isinstance(line, Item)), None)
        if long is not None:
            yield of_part(document, long, kind="S", field="body")
        elif len(lines) >= MIN_STEPS:
            yield of_part(document, lines[0], kind="S", field="body")


def _list_of_actions(document: Document) -> Iterator[Evidence]:
    """Two lines of action, numbered or not, outside what was expected or happened."""
    apart = {
        line.start
        for section in document.under(Meaning.EXPECTED, Meaning.EXCLUDED, Meaning.ACCEPTANCE, Meaning.OUTCOME)
        for line in section.items
        if Meaning.STEPS not in section.meanings
    }
    actions = [line for line in lines_of(document) if line.start not in apart and _is_step_line(document, line)]
    if len(actions) >= MIN_STEPS:
        yield of_part(document, actions[0], kind="P", field="body", note=f"{len(actions)} actions")


def _is_step_line(document: Document, line: Item | Dropped) -> bool:
    if isinstance(line, Item) and line.ticked is not None:
        return False  # a box is work to do
    is_item = isinstance(line, Item) and line.is_list_item
    if not is_item:
        before = document.text[max(0, document.text.rfind("\n", 0, line.start)) : line.start]
        is_item = bool(before.strip(" \n")) or bool(
            re.match(r"\s*(?:\d{1,2}\s*[.):/-]|step\s+\d|[-*+•#])", line.text, re.IGNORECASE)
        )
    return is_item and _ACTION.match(line.text) is not None


def _in_code(document: Document) -> Iterator[Evidence]:
    """A command or a request that one can run again."""
    for line in document.dropped:
        if line.reason is DropReason.CODE and (_is_shell(document, line) or _COMMAND.search(line.text)):
            yield of_part(document, line, kind="P", field="body", note="command")
    for item in document.items:
        if _REQUEST.search(item.text) or (item.is_code and _COMMAND.search(item.text)):
            yield of_part(document, item, kind="P", field="body", note="request")


def _is_shell(document: Document, line: Dropped) -> bool:
    """Whether a fence says itself that it holds commands."""
    return _SHELL.match(document.text, line.start, line.start + 40) is not None and bool(line.text.strip())


def _link(document: Document) -> Iterator[Evidence]:
    for link in document.links:
        if _REPRODUCTION.match(link):
            yield of_value("P", "body", link, note="reproduction")


def _in_prose(document: Document) -> Iterator[Evidence]:
    expected = _starts(document.under(Meaning.EXPECTED), but=Meaning.STEPS)
    for item in document.items:
        if item.start not in expected and (_UNDER_CONDITION.search(item.text) or _IMPERATIVE.search(item.text)):
            yield of_part(document, item, kind="P", field="body")


def _in_title(issue: Issue) -> Iterator[Evidence]:
    if _UNDER_CONDITION.search(issue.title):
        yield of_value("P", "title", issue.title)


def only_video(document: Document) -> bool:
    """Whether a film shows what the text does not say."""
    return any(map(_VIDEO.search, document.links)) or _VIDEO.search(document.text) is not None


def _starts(sections: tuple[Section, ...], *, but: Meaning) -> set[int]:
    """Where the lines of sections begin, but for sections that open something else as well."""
    return {line.start for section in sections if but not in section.meanings for line in section_lines(section)}


# -- what should have happened -----------------------------------------------------------------------------------------

_EXPECTATION = re.compile(
    r"""(?<!\w)(?:
      should(?:n['’]t|\ not)?(?!\s+(?:we|i|you|probably\s+investigate|look\s+into|be\s+(?:noted|fixed|investigated
      |enough\s+to)|also\s+mention|have\s+fixed))
    | (?:is|are|was|were|be)\ (?:supposed|meant)\ to | ought\ to | has\ to\ be | must(?:\ not|n['’]t)?\ (?!have\ been)
    | (?:i|we|you|one|users?|would)(?:\ would|['’]d)?\ (?:have\ )?expect(?:ed)?(?!\w)
    | (?<!exception:\ )(?<!error:\ )expect(?:ed|s|ation)?
    | instead\ of | rather\ than | as\ opposed\ to | need(?:s|ed)?\ to\ (?:be|show|display|have|return|work)
    | (?:would|could)\ be\ (?:better|nice|good|great|correct|sufficient|ideal|more\ \w+)
    | used\ to\ (?!(?:be\ )?used) | correct(?:ly)?\ (?:behaviou?r|result|would|output|is)
    | correct\ \w+\ (?:is|are|would|should)
    | it\ would\ be
    | sollten?|soll(?:en)?(?!\w)|erwart(?:et|e|ung|en)|statt(?:dessen)?|anstatt|müsste[n]?
    | devrait|devraient|attendu[es]*|au\ lieu\ de
    | deber[íi]an?|esperad[oa]s?|esperaba|en\ lugar\ de|en\ vez\ de
    | deveria[m]?|em\ vez\ de|ao\ inv[ée]s
    | dovrebbe(?:ro)?|attes[oa]|previst[oa]|invece\ di
    | zou(?:den)?\ (?:moeten|\w+\ moeten)|verwacht(?:e|te)?|in\ plaats\ van
    | powin(?:ien|na|no|ny)|oczekiw\w+|zamiast
    )(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
_CRASH = re.compile(
    r"""(?<!\w)(?:crash(?:es|ed|ing)?|exceptions?|stack\ ?traces?|segfault\w*|segmentation\ fault|core\ dump|panic(?:s
        |ked)?|traceback
        |(?:5\d\d|404)\ (?:error|internal|server|bad|not\ found)|internal\ server\ error|fatal|hangs?|freez\w+
        |abst[uü]rz\w*|stürzt
        |plant(?:e|age)|se\ bloquea|trava|va\ in\ crash|crasht)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)


def stated_expected(issue: Issue, context: Context) -> Evidence | None:
    """What should have happened, as a field, under a heading, or said in a sentence outside the steps."""
    return context.once("expected", issue, lambda: _stated_expected(issue, context))


def _stated_expected(issue: Issue, context: Context) -> Evidence | None:
    document = context.texts.body(issue)
    ways = (
        _in_fields(issue, EXPECTED_FIELDS, context),
        _filled_sections(document, Meaning.EXPECTED),
        _expected_in_prose(document),
        [of_value("P", "title", issue.title)] if _EXPECTATION.search(issue.title) else [],
    )
    return next((found for way in ways for found in way), None)


def _filled_sections(document: Document, meaning: Meaning) -> Iterator[Evidence]:
    for section in document.under(meaning):
        lines = section_lines(section)
        if lines:
            yield of_part(document, lines[0], kind="S", field="body")


def _expected_in_prose(document: Document) -> Iterator[Evidence]:
    steps = _starts(document.under(Meaning.STEPS), but=Meaning.EXPECTED)
    for line in lines_of(document):
        # "should" inside steps tells what to look at; "I expected ..." or "instead of" is said anywhere.
        if (isinstance(line, Item) and line.is_code) or (line.start in steps and _ACTION.match(line.text)):
            continue
        if _EXPECTATION.search(line.text):
            yield of_part(document, line, kind="P", field="body")


def crash_text(issue: Issue, document: Document) -> Evidence | None:
    """A stack trace, a log, or words of a crash: what should have happened goes without saying."""
    for line in document.dropped:
        if line.reason is DropReason.LOG or (line.reason is DropReason.CODE and _ERROR_TEXT.search(line.text)):
            return of_part(document, line, kind="P", field="body", note=line.reason.value)
    for item in document.items:
        if _CRASH.search(item.text):
            return of_part(document, item, kind="P", field="body")
    return of_value("P", "title", issue.title) if _CRASH.search(issue.title) else None


# -- what happened -----------------------------------------------------------------------------------------------------

_ERROR_TEXT = re.compile(
    r"\b(?:\w*(?:Exception|Error)\b|error|failed|failure|fatal|panic|traceback|segmentation fault|warning|not found"
    r"|denied|refused)\b|\bat\s+[\w.$]+\([\w.]+:\d+\)",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"""(?<!\w)(?:
      fail(?:s|ed|ing|ure|ures)?|crash(?:es|ed|ing)?|broken|breaks?|broke|wrong(?:ly)?|incorrect(?:ly)?|invalid
      |missing|errors?|exceptions?|bug(?:gy)?
    | can(?:not|['’]t|\ not)|could(?:n['’]t|\ not)|(?:does|do|did|is|are|was|were|has|have|will|would)(?:n['’]t|\ not)
    |won['’]t|unable|no\ longer|never
    | nothing\ happens?|not\ (?:working|work|shown|showing|displayed|visible|updated|saved|found|possible|available
    |able|being|reset|loaded|respond\w*|recogni[sz]ed|sent|set|correct\w*)
    | hangs?|hung|freez\w+|froze|stuck|blank|empty|los(?:t|es|ing)|disappear\w*|vanish\w*|duplicat\w+|flicker\w*
    |truncat\w+|overlap\w*|cut\ off|slow(?:ly)?
    | instead(?:\ of)?|unexpected(?:ly)?|still|stays?|remains?|keeps?\ \w+ing|even\ (?:though|if|when)|ignor(?:es|ed
    |ing)|refus(?:es|ed)|time[sd]?\ ?out|leak\w*|corrupt\w*|mess(?:es|ed)\ up
    | throws?|thrown|raises|returns?\ (?:no|an?\ (?:error|empty)|null|none|[45]\d\d)|too\ (?:small|large|big|long
    |short|many|few|early|late)|but\ (?:it|the|they|there|i|we|then|when|not|no)
    | currently|actually|happens?|happened|causes?d?|results?\ in|redirect(?:s|ed)\ to|shows?\ (?:the\ wrong
    |an?\ error|up\ (?:as|twice)|only|no)|there\ (?:is|are)\ no|only\ \w+s
    | fehler\w*|fehlt|fehlgeschlagen|kaputt|falsch\w*|geht\ nicht|funktioniert\ nicht|nicht|stürzt|kein\w*|abst[uü]rz\w*
    | [ée]choue\w*|erreurs?|plante|ne\ \w+\ (?:pas|plus)|n['’]\w+\ pas|manqu\w+|incorrecte?s?|vide
    | falla\w*|fall[óo]|no\ (?:funciona|se|aparece|muestra|carga|guarda|abre|hay)|incorrect[oa]s?|vac[íi][oa]|bloquea
    | falha\w*|n[ãa]o\ \w+|erros?|errad[oa]|vazi[oa]|trava\w*
    | fallisce|non\ \w+|errore|errat[oa]|vuot[oa]|si\ blocca
    | mislukt\w*|werkt\ niet|niet|fout(?:en|melding)?|leeg|verkeerd\w*|geen
    | błąd\w*|nie\ \w+|pust[aey]|zawiesza
    )(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)


def stated_actual(issue: Issue, context: Context) -> Evidence | None:
    """What happened: a field, a section, error text, a screenshot, or wording of a fault outside what was expected."""
    return context.once("actual", issue, lambda: _stated_actual(issue, context))


def _stated_actual(issue: Issue, context: Context) -> Evidence | None:
    document = context.texts.body(issue)
    ways = (
        _in_fields(issue, ACTUAL_FIELDS, context),
        _filled_sections(document, Meaning.ACTUAL),
        _error_text(document),
        _fault_in_prose(document),
        [of_value("P", "title", issue.title)] if _FAULT.search(issue.title) else [],
        [of_value("P", "body", "image", note="screenshot")] if document.images else [],
    )
    return next((found for way in ways for found in way), None)


def _error_text(document: Document) -> Iterator[Evidence]:
    for line in document.dropped:
        if line.reason is DropReason.LOG or (line.reason is DropReason.CODE and _ERROR_TEXT.search(line.text)):
            yield of_part(document, line, kind="P", field="body", note=line.reason.value)


def _fault_in_prose(document: Document) -> Iterator[Evidence]:
    expected = _starts(document.under(Meaning.EXPECTED), but=Meaning.ACTUAL)
    for line in lines_of(document):
        if line.start in expected or (isinstance(line, Item) and line.is_code):
            continue
        if _CONTRAST.search(line.text) or _FAULT.search(_without_expectation(line.text)):
            yield of_part(document, line, kind="P", field="body")


# "Sorted by name, should be by date": what there is stands before the comma.
_CONTRAST = re.compile(
    r"\w\s*(?:[,;(–-]|->|=>)\s*(?:but\s+|and\s+)?(?:it\s+|they\s+|this\s+|that\s+)?(?:should|must|expected)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?;\n]+")
_ONLY_EXPECTED = re.compile(
    r"\W*(?:expected|expectation|it\s+should|should|the\s+\w+\s+should|erwartet|attendu|esperado|atteso|verwacht)\b",
    re.IGNORECASE,
)


def _without_expectation(text: str) -> str:
    """The sentences that do not begin by saying what should be: "should not fail" reports nothing."""
    if not _EXPECTATION.search(text):
        return text
    return ". ".join(sentence for sentence in _SENTENCE.findall(text) if not _ONLY_EXPECTED.match(sentence))


# -- where it happened -------------------------------------------------------------------------------------------------

ENVIRONMENT_FIELDS = (
    "environment",
    "affects_version",
    "affects_versions",
    "version",
    "versions",
    "platform",
    "browser",
    "os",
)
_ENVIRONMENT_HEADING = re.compile(
    r"\b(?:environment|platform|system|versions?|browser|device|desktop|smartphone|os|operating system|umgebung"
    r"|environnement|entorno"
    r"|ambiente|omgeving|środowisko|環境|setup|configuration|info(?:rmation)?)\b",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"""(?<![\w.])(?:v(?:ersion|er)?\.?\s*)?\d+\.\d+(?:\.\d+)*(?:[-.+]?(?:rc|beta|alpha|snapshot|final|release|ga|m
        |dev|p)[\w.-]*)?(?!\w|\.\d|\s*(?:%|s|ms|seconds?|minutes?|hours?|mb|gb|kb|€|\$|usd|eur)\b)
      | (?<!\w)(?:version|release|build|commit|revision|rev|sha)\s*[:#=]?\s*[`"']?(?:v?\d[\w.-]*|[0-9a-f]{7,40})\b
      | (?<![\w/])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}(?![\w/-])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLATFORM = re.compile(
    r"""(?<!\w)(?:windows(?:\s*(?:xp|vista|7|8|8\.1|10|11|server))?|win(?:7|8|10|11)|mac\ ?os(?:\ ?x)?|os\ x
        |macbook\w*|linux|ubuntu|debian|fedora|centos|rhel|red\ hat
        |suse|arch\ linux|alpine|freebsd|android|ios|ipados|iphone\w*|ipad\w*|pixel\ \d|galaxy\ \w+|chrome(?:\ ?os)?
        |chromium|firefox|safari|edge|opera|internet\ explorer|ie\ ?\d{1,2}|brave
        |jdk\ ?\d+|java\ \d+|python\ ?[23]|node(?:\.js)?\ ?v?\d+|x86(?:_64)?|arm64|aarch64|raspberry\ pi)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)


def stated_environment(issue: Issue, document: Document, context: Context, vague: tuple[str, ...]) -> Evidence | None:
    """A version, a platform or an environment section that says more than "latest"."""
    ways = (
        _environment_fields(issue, vague),
        _environment_sections(document, vague),
        _environment_tokens(issue, document),
    )
    return next((found for way in ways for found in way), None)


def _environment_fields(issue: Issue, vague: tuple[str, ...]) -> Iterator[Evidence]:
    for name in ENVIRONMENT_FIELDS:
        text = field_text(issue, name)
        if text.strip() and not is_vague_version(text, vague):
            yield of_value("F", f"fields.{name}", text)


def _environment_sections(document: Document, vague: tuple[str, ...]) -> Iterator[Evidence]:
    for section in document.sections:
        if _ENVIRONMENT_HEADING.search(section.heading) and not section.meanings & {
            Meaning.STEPS,
            Meaning.EXPECTED,
            Meaning.ACTUAL,
        }:
            for line in section_lines(section):
                if not is_vague_version(line.text, vague):
                    yield of_part(document, line, kind="S", field="body")


def _environment_tokens(issue: Issue, document: Document) -> Iterator[Evidence]:
    for line in lines_of(document):
        if _VERSION.search(line.text) or _PLATFORM.search(line.text):
            yield of_part(document, line, kind="P", field="body")
    for dropped in document.dropped:
        if dropped.reason in (DropReason.CODE, DropReason.LOG) and re.search(
            r"\bversion\b\W{0,3}v?\d", dropped.text, re.IGNORECASE
        ):
            yield of_part(document, dropped, kind="P", field="body")
    if _VERSION.search(issue.title) or _PLATFORM.search(issue.title):
        yield of_value("P", "title", issue.title)


def is_vague_version(text: str, vague: tuple[str, ...]) -> bool:
    """Whether nothing but "latest" or the like is said, with or without "Version:" before it."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return all(word in {*vague, "version", "versions", "the", "of", "release", "on", "is"} for word in words)
