"""The configuration: one file, then the environment. Built once and passed on; nobody else reads the environment."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from backlint.calendars import Calendar, Leave, public_holidays
from backlint.custom_rules import CustomRuleSettings, places
from backlint.errors import ConfigurationError
from backlint.model import IssueType, StatusCategory, Tracker

DEFAULT_FILE = Path("backlint.toml")
ENVIRONMENT_PREFIX = "BACKLINT_"
DEFAULT_URLS = {Tracker.LINEAR: "https://api.linear.app/graphql", Tracker.GITHUB: "https://api.github.com"}
# Custom fields a source may map, by the names of the catalogue (section 1.1).
MAPPED_FIELDS = (
    "acceptance_criteria", "outcome", "metric", "baseline", "target", "by", "guardrail", "objective", "key_result",
    "measured_result", "reach", "impact", "confidence", "effort", "ease", "score", "moscow", "blocked_reason", "owner",
    "accountable", "review_on", "estimate", "sprint", "team", "epic_link", "flagged", "rank", "steps", "expected",
    "actual",
)  # fmt: skip


class _Table(BaseModel):
    """A table of the file. Unknown keys are refused, so that a typing error cannot switch something off in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _WithQuietHours(_Table):
    """A table with times in which something waits. It says itself what waits, and when by default."""

    if TYPE_CHECKING:
        quiet_hours: str

    @field_validator("quiet_hours", check_fields=False)
    @classmethod
    def _two_times(cls, value: str) -> str:
        if value != "off":
            parse_hours(value)
        return value

    @property
    def quiet(self) -> tuple[time, time] | None:
        return None if self.quiet_hours == "off" else parse_hours(self.quiet_hours)


class StoreSettings(_Table):
    url: str = Field("sqlite:///backlint.db", description="SQLite file or postgresql+psycopg://user@host/database")


class NetworkSettings(_Table):
    """How trackers are reached, for every source that says nothing else."""

    proxy: str = Field(
        "",
        description='address of a proxy; "" follows HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment; "off" '
        "goes straight",
    )
    ca_file: str = Field(
        "", description="certificates (PEM) of authorities to trust besides the usual ones, such as the company's own"
    )

    @field_validator("proxy")
    @classmethod
    def _without_secrets(cls, value: str) -> str:
        return plain_proxy(value)


class OAuthSettings(_Table):
    """An OAuth app instead of a token (Jira Cloud, Linear): its tokens are renewed, and rotate."""

    client_id: str = Field(description="the app's client id")
    client_secret_env: str = Field("", description="environment variable that holds the app's secret")
    file: str = Field(
        description="where the tokens live between runs: JSON, mode 0600, written whenever they are renewed"
    )
    refresh_token_env: str = Field(
        "", description="environment variable with the first refresh token; a new one there replaces what file holds"
    )
    url: str = Field("", description="token endpoint, if it is not the tracker's own")


class SourceSettings(_Table):
    """One tracker account. Its secrets are named, never written: `token_env` is the variable that holds the token."""

    name: str = Field(description="part of every issue's identity: do not change it later")
    tracker: Tracker = Field(description="jira, linear or github")
    url: str = Field("", description="site (Jira), GraphQL endpoint (Linear), API base (GitHub)")
    site_url: str = Field("", description="where people open issues, if that differs from url (Jira behind a gateway)")
    scope: tuple[str, ...] = Field((), description="project keys, team keys, or owner/repository (owner/* for all)")
    user: str = Field("", description="Jira Cloud only: the e-mail address that belongs to the token")
    deployment: Literal["auto", "cloud", "server"] = Field("auto", description="Jira only; detected when auto")
    token_env: str = Field("", description="environment variable that holds the token")
    token_file: str = Field("", description="file that holds the token, instead of token_env")
    oauth: OAuthSettings | None = Field(None, description="an OAuth app instead of a token")
    webhook_secret_env: str = Field("", description="environment variable that holds the webhook secret")
    app_id: str = Field("", description="GitHub App: its id")
    installation_id: str = Field("", description="GitHub App: the installation's id")
    private_key_env: str = Field("", description="GitHub App: environment variable with the private key (PEM)")
    statuses: dict[str, StatusCategory] = Field(default_factory=dict, description="status id -> category")
    types: dict[str, IssueType] = Field(default_factory=dict, description="the tracker's type name -> type")
    fields: dict[str, str] = Field(default_factory=dict, description="field that rules know -> the tracker's field id")
    keep_fields: Literal["mappable", "mapped"] = Field(
        "mappable",
        description="Jira: which custom fields are read; mapped: only those under fields, so that mapping another one "
        "takes a full pull",
    )
    in_progress_labels: tuple[str, ...] = Field((), description="labels that mean work has started (GitHub)")
    concurrency: int = Field(6, ge=1, le=32, description="requests at once")
    requests_per_second: float = Field(20.0, gt=0, description="ceiling; the tracker's own headers may lower it")
    timeout: float = Field(30.0, gt=0, description="seconds for one request")
    max_wait: float = Field(
        300.0, ge=0, description="longest wait in seconds for a rate limit before giving up this run"
    )
    people_share: float = Field(
        0.1, ge=0, lt=1, description="share of the tracker's rate limit that is left for people and other programs"
    )
    proxy: str = Field("", description="as in [network], for this source alone")
    ca_file: str = Field("", description="as in [network], for this source alone")

    @field_validator("proxy")
    @classmethod
    def _without_secrets(cls, value: str) -> str:
        return plain_proxy(value)

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
            raise ValueError(
                "a source name has 1 to 40 small letters, digits, - or _ and starts with a letter or digit"
            )
        return name

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, fields: dict[str, str]) -> dict[str, str]:
        for name in fields:
            if name not in MAPPED_FIELDS:
                raise ValueError(f"{name!r} is no field that can be mapped{_hint(name, MAPPED_FIELDS)}")
        return fields

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.tracker is Tracker.FILE:
            raise ValueError(f"source {self.name!r}: a file is no source; `backlint check --input FILE` reads one")
        if not self.url and self.tracker not in DEFAULT_URLS:
            raise ValueError(f"source {self.name!r} needs url: the address of the site")
        if self.oauth is not None:
            self._allow_oauth()
        if not self.scope:
            raise ValueError(f"source {self.name!r} needs scope: which projects, teams or repositories to read")
        return self

    def _allow_oauth(self) -> None:
        if self.tracker is Tracker.GITHUB:
            raise ValueError(f"source {self.name!r}: GitHub Apps are named by app_id, installation_id, private_key_env")
        if self.token_env or self.token_file:
            raise ValueError(f"source {self.name!r}: with oauth there is no token_env and no token_file")
        if self.user:
            raise ValueError(f"source {self.name!r}: with oauth there is no user: the app has its own account")
        if re.match(r"https://[^/]+\.atlassian\.net", self.url):
            raise ValueError(
                f"source {self.name!r}: OAuth tokens are not taken at the site's address: set url to "
                f"https://api.atlassian.com/ex/jira/CLOUDID and site_url to {self.url}"
            )

    @property
    def base_url(self) -> str:
        return (self.url or DEFAULT_URLS[self.tracker]).rstrip("/")


class WriteBackSettings(_WithQuietHours):
    """Catalogue section 8; the defaults are the careful ones."""

    mode: Literal["off", "labels", "labels+comment"] = Field(
        "off", description="what may be written to the trackers; off: nothing, ever"
    )
    first_run: Literal["baseline", "write"] = Field(
        "baseline", description="baseline: what the first check of a source finds stays silent; write: it is spoken of"
    )
    label_prefix: str = Field("hygiene:", description="how our labels begin; labels without it are never touched")
    max_comments: int = Field(
        20, ge=0, description="new or changed comments per project and run; webhooks of one day count as one run"
    )
    max_labels: int = Field(100, ge=0, description="label changes per project and run; likewise")
    abort_share: float = Field(0.2, gt=0, le=1, description="a run touching more of a project than this writes nothing")
    abort_floor: int = Field(25, ge=0, description="... if it also touches more issues than this")
    quiet_hours: str = Field("18:00-08:00", description='team time in which comments wait, or "off"')
    settle_minutes: int = Field(15, ge=0, description="how long an issue is left alone after a person changed it")
    override_days: int = Field(180, ge=1, description="days for which a label that a person removed stays removed")
    comment_every_days: int = Field(7, ge=0, description="days between two changes of a comment, at least")
    per_issue: int = Field(3, ge=1, le=10, description="labels and questions per issue")
    explain_url: str = Field("", description="where a rule code in the comment links to, {code} filled in")

    @field_validator("label_prefix")
    @classmethod
    def _no_spaces(cls, value: str) -> str:
        if not value or re.search(r"\s", value):
            raise ValueError("needs at least one character and no spaces: Jira labels cannot hold them")
        return value


class CheckSettings(_Table):
    profile: Literal["starter", "scrum", "kanban", "oss", "ai", "full"] = Field(
        "starter", description="which rules run; `backlint rule` lists them"
    )
    near: Literal["learned", "all"] = Field(
        "learned",
        description="learned: what is started, ready, in a sprint or ranked high is judged in full; all: every issue",
    )
    team_switches: Literal["learned", "on"] = Field(
        "learned", description="on: judge as if the team had every habit (story form, estimates, RICE)"
    )
    fail_on: Literal["info", "warning", "error"] = Field(
        "error", description="`backlint check` ends with exit code 1 from this severity on"
    )
    enable: tuple[str, ...] = Field((), description="rule codes beyond the profile")
    disable: tuple[str, ...] = Field((), description="rule codes to leave out")


class CalendarSettings(_Table):
    """The public holidays of everyone who has none of their own."""

    country: str = Field("", description="ISO code of the country whose public holidays hold, such as DE")
    subdivision: str = Field("", description="its state or province, such as BY, where holidays differ")
    holidays: tuple[date, ...] = Field((), description="further days on which nobody works")


class TeamSettings(_Table):
    """What is known of a team beyond its tickets."""

    name: str = Field(description="as the tracker names it (team, else project)")
    people: float | None = Field(
        None, gt=0, description="how many people work in it; none: those who finished items in the last 90 days"
    )
    country: str = Field("", description="ISO code of the country whose public holidays hold, instead of [calendar]'s")
    subdivision: str = Field("", description="its state or province, where holidays differ")
    holidays: tuple[date, ...] = Field((), description="further days on which nobody of the team works")


class LeaveSettings(_Table):
    """People of a team who will be away; no names, only how many."""

    team: str = Field(description="the team's name")
    first: date = Field(description="the first day")
    last: date = Field(description="the last day")
    people: float = Field(1.0, gt=0, description="how many people; 0.5 is somebody on half days")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"leave of team {self.team!r} ends on {self.last}, before it begins on {self.first}")
        return self


class WaiverSettings(_Table):
    """A rule that need not hold for an issue, a label, a project or a type; exactly one of them is named."""

    rule: str = Field(description="the rule's code, or the letters of a family, such as OUT")
    reason: str = Field(min_length=10, description="why, for whoever reads it later")
    until: date = Field(description="its last day; at most 365 days ahead, 30 for rules on secrets")
    author: str = Field("", description="who agreed to it")
    source: str = Field("", description="only in this source")
    issue: str = Field("", description="key of the issue")
    label: str = Field("", description="issues with this label")
    project: str = Field("", description="issues of this project, team or repository")
    type: IssueType | None = Field(None, description="issues of this type")

    @model_validator(mode="after")
    def _about_one_thing(self) -> Self:
        if sum(bool(each) for each in (self.issue, self.label, self.project, self.type)) != 1:
            raise ValueError(f"the waiver of {self.rule} names exactly one of issue, label, project and type")
        return self


class TrustSettings(_Table):
    """Catalogue section 9: who may speak for an issue, and when a rule has been wrong too often."""

    may_waive: tuple[str, ...] = Field(
        (),
        description="accounts (id, handle or name) whose commands count where the tracker shows no rights",
    )
    ratchet: bool = Field(
        False, description="true: `backlint check` ends with exit code 1 where a rule finds more than it ever has"
    )
    tolerance: int = Field(0, ge=0, description="findings above the lowest count that the ratchet still lets pass")
    feedback_days: int = Field(180, ge=14, description="days for which what people said of a finding counts")
    judged: int = Field(20, ge=1, description="judged findings from which on a rule's precision has consequences")
    lower_above: float = Field(
        0.10, ge=0, le=1, description="share of wrong findings above which a rule drops one severity and asks no more"
    )
    report_above: float = Field(
        0.25, ge=0, le=1, description="share of wrong findings above which a rule speaks in reports alone"
    )
    recall_sample: int = Field(30, ge=1, description="issues drawn a month for each rule, for `backlint recall`")


class NotificationSettings(_WithQuietHours):
    """A digest of each audit by e-mail or chat: only what changed since the last one, and nothing when nothing did."""

    name: str = Field(description="what it is called, and by what it remembers what it told: do not change it later")
    url_env: str = Field(
        description="environment variable with the addresses: apprise URLs such as mailtos://, slack://"
    )
    team: str = Field("", description="only this team's findings; empty: everybody's")
    owner: str = Field("", description="only what this person owns, by name, handle or id; empty: everybody's")
    from_severity: Literal["info", "warning", "error"] = Field("warning", description="findings from this severity on")
    quiet_hours: str = Field("off", description='team time in which digests wait, such as "18:00-08:00", or "off"')

    @property
    def about(self) -> str:
        """How a digest begins: whose it is."""
        return " / ".join(part for part in (self.team, self.owner) if part) or "backlint"


class ForecastSettings(_Table):
    """Catalogue section 6."""

    weeks: int = Field(12, ge=6, le=26, description="complete weeks of history that a forecast draws from")
    growth_from: float = Field(1.0, gt=0, le=10, description="by how much the work grows on the way, at least")
    growth_to: float = Field(1.0, gt=0, le=10, description="... and at most: 1.3 is 30 % more items than counted now")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.growth_to < self.growth_from:
            raise ValueError(f"growth_to {self.growth_to:g} is below growth_from {self.growth_from:g}: exchange them")
        return self


class PlanningSettings(_Table):
    """Catalogue section 4: guidance, unless `enforce` is set."""

    gates: tuple[Literal["acceptance", "outcome", "owner", "estimate", "size", "dependencies", "clarity"], ...] = Field(
        ("acceptance", "outcome", "owner", "estimate", "dependencies"), description="what an item must pass to be ready"
    )
    ready_from: int = Field(80, ge=0, le=100, description="readiness from which an item that passes the gates is ready")
    nearly_from: int = Field(60, ge=0, le=100, description="readiness from which an item is nearly ready")
    enforce: bool = Field(
        False, description="true: `backlint report sprint-prep` ends with exit code 1 while a candidate is not ready"
    )
    sprint_days: int = Field(14, ge=1, le=92, description="length of a sprint where the tracker does not say")


class ServiceSettings(_Table):
    """`backlint serve` and `backlint worker`."""

    host: str = Field("127.0.0.1", description="address to listen on; only this machine reaches the default")
    public_url: str = Field(
        "", description="how trackers reach the service; webhooks lead to public_url/webhooks/SOURCE"
    )
    port: int = Field(8321, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    api_token_env: str = Field("", description="environment variable with the token of the API; without one it is shut")
    jobs_url: str = Field(
        "", description="database of the durable jobs; by default a SQLite file beside the store, or the store's server"
    )
    max_body: int = Field(5_000_000, ge=1, description="bytes of the largest webhook that is taken")
    max_waiting: int = Field(
        100_000, ge=1, description="webhooks that may wait to be looked at; above it new ones are answered 429"
    )
    burst_seconds: float = Field(
        2.0, ge=0, description="an issue is looked at so long after its last webhook, and after settle_minutes anyway"
    )
    batch: int = Field(50, ge=1, le=500, description="issues that are checked together")
    attempts: int = Field(5, ge=1, description="tries before an issue is put aside as a dead letter")
    retry_seconds: float = Field(30.0, gt=0, description="wait before the second try; it doubles with each further one")
    audit_schedule: str = Field("30 2 * * *", description='when to audit, as cron in the timezone above, or "off"')
    pull_schedule: str = Field(
        "*/15 * * * *", description='when to pull what webhooks missed, as cron in the timezone above, or "off"'
    )
    keep_days: int = Field(14, ge=1, description="days for which handled webhooks and finished jobs are remembered")

    @field_validator("audit_schedule", "pull_schedule")
    @classmethod
    def _cron(cls, value: str) -> str:
        if value != "off" and len(value.split()) != 5:
            raise ValueError('write five cron fields, such as "30 2 * * *", or "off"')
        return value


class Settings(BaseSettings):
    """Everything that can be configured. `load` is the way to make one."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    timezone: str = Field(
        "UTC", description="IANA name, such as Europe/Berlin; used when printing and when grouping by day"
    )
    store: StoreSettings = Field(StoreSettings(), description="where issues, findings and writes are kept")
    network: NetworkSettings = Field(NetworkSettings(), description="proxy and certificates for all sources")
    sources: tuple[SourceSettings, ...] = Field((), description="the tracker accounts")
    write_back: WriteBackSettings = Field(WriteBackSettings(), description="what may be written, and how much at once")
    check: CheckSettings = Field(CheckSettings(), description="which rules judge, and how strictly")
    service: ServiceSettings = Field(ServiceSettings(), description="`backlint serve` and `backlint worker`")
    rules: dict[str, dict[str, Any]] = Field(default_factory=dict, description="rule code -> its options")
    custom_rules: tuple[CustomRuleSettings, ...] = Field((), description="rules of your own, without code")
    calendar: CalendarSettings = Field(CalendarSettings(), description="public holidays, for forecasts")
    teams: tuple[TeamSettings, ...] = Field((), description="what is known of teams beyond their tickets")
    leave: tuple[LeaveSettings, ...] = Field((), description="when how many people of a team will be away")
    waivers: tuple[WaiverSettings, ...] = Field((), description="rules that need not hold somewhere, until a day")
    trust: TrustSettings = Field(TrustSettings(), description="commands in comments, feedback, ratchet")
    notifications: tuple[NotificationSettings, ...] = Field((), description="digests of audits by e-mail and chat")
    forecast: ForecastSettings = Field(ForecastSettings(), description="what forecasts draw from")
    planning: PlanningSettings = Field(PlanningSettings(), description="when an item is ready for a sprint")
    loss_share: float = Field(
        0.2, gt=0, le=1, description="a pull that would find a larger share of a scope gone believes none of it"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which arrives as the arguments."""
        return env_settings, init_settings

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is no time zone of the IANA list{_hint(name, available_timezones())}")
        return name

    @field_validator("sources")
    @classmethod
    def _reached_alike(cls, sources: tuple[SourceSettings, ...], info: ValidationInfo) -> tuple[SourceSettings, ...]:
        """What a source does not say of the network, [network] says."""
        network = info.data.get("network", NetworkSettings())
        return tuple(
            source.model_copy(
                update={"proxy": source.proxy or network.proxy, "ca_file": source.ca_file or network.ca_file}
            )
            for source in sources
        )

    @model_validator(mode="after")
    def _distinct_sources(self) -> Self:
        names = [source.name for source in self.sources]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"two sources are named {doubled[0]!r}: names are part of every issue's identity")
        return self

    @model_validator(mode="after")
    def _distinct_notifications(self) -> Self:
        names = [each.name for each in self.notifications]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two notifications are named {doubled[0]!r}: each remembers what it told by its name")
        return self

    @model_validator(mode="after")
    def _distinct_custom_rules(self) -> Self:
        for what in ("code", "name"):
            given = [getattr(rule, what) for rule in self.custom_rules]
            if doubled := sorted({each for each in given if given.count(each) > 1}):
                raise ValueError(f"two custom rules have the {what} {doubled[0]!r}: give one of them another")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def team(self, name: str | None) -> TeamSettings | None:
        """What is configured for the team, whatever the case of its name."""
        wanted = (name or "").casefold()
        return next((team for team in self.teams if team.name.casefold() == wanted), None)

    def team_calendar(self, name: str | None, *, first: date, last: date) -> Calendar:
        """Public holidays of the years from the first to the last day, and leave; those of everyone for no team."""
        team = self.team(name)
        place = team if team is not None and team.country else self.calendar
        further = {*self.calendar.holidays, *(team.holidays if team else ())}
        years = range(first.year, last.year + 1)
        return Calendar(
            holidays=public_holidays(place.country, place.subdivision, years=years, further=further),
            people=team.people if team else None,
            leave=tuple(
                Leave(first=each.first, last=each.last, people=each.people)
                for each in self.leave
                if name is not None and each.team.casefold() == name.casefold()
            ),
        )

    def source(self, name: str) -> SourceSettings:
        for source in self.sources:
            if source.name == name:
                return source
        names = [source.name for source in self.sources]
        raise ConfigurationError(
            f"no source is named {name!r}{_hint(name, names) or '; there is ' + (', '.join(names) or 'none')}"
        )


def load(path: Path | None = None) -> Settings:
    """Read the file (DEFAULT_FILE if it exists when no path is given), then the environment.

    Raises ConfigurationError with the file, the key and the nearest right one.
    """
    if path is not None and not path.is_file():
        raise ConfigurationError(f"there is no configuration file {path}: `backlint init` writes one")
    file = path or DEFAULT_FILE
    content = _parse(file) if file.is_file() else {}
    _refuse_unknown_variables(os.environ)
    try:
        settings = Settings(**content)
    except ValidationError as error:
        where = str(file) if file.is_file() else "the environment"
        raise ConfigurationError("\n".join(_explain(problem, where) for problem in error.errors())) from None
    except SettingsError as error:
        raise ConfigurationError(_not_json(error)) from None
    if file.is_file():
        _place_custom_rules(settings, file)
    return settings


def _place_custom_rules(settings: Settings, file: Path) -> None:
    """Where the expressions stand in the file, if it is the file that they come from."""
    found = tuple(places(file.read_text(encoding="utf-8"), str(file)))
    if len(found) == len(settings.custom_rules) and f"{ENVIRONMENT_PREFIX}CUSTOM_RULES" not in map(
        str.upper, os.environ
    ):
        for rule, place in zip(settings.custom_rules, found, strict=True):
            rule.stand_at(place)


def secret(variable: str, *, file: str = "", purpose: str) -> SecretStr:
    """The secret that a setting names. ConfigurationError names the variable, never the value."""
    if file:
        try:
            return SecretStr(Path(file).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise ConfigurationError(f"{purpose}: cannot read {file}: {error.strerror}") from None
    value = os.environ.get(variable, "").strip() if variable else ""
    if not value:
        named = f"the environment variable {variable} is not set" if variable else "no variable is named"
        raise ConfigurationError(f"{purpose}: {named}; set it, or name another in the configuration")
    return SecretStr(value)


def secret_if_set(variable: str) -> SecretStr | None:
    """The secret of a variable that need not be there."""
    value = os.environ.get(variable, "").strip() if variable else ""
    return SecretStr(value) if value else None


def plain_proxy(value: str) -> str:
    """The address of a proxy, "off", or nothing. ValueError otherwise, and for one with a password in it."""
    if value in ("", "off"):
        return value
    found = re.fullmatch(r"https?://(?P<user>[^/@]*@)?[^/@\s]+/?", value)
    if found is None:
        raise ValueError('write the proxy as http://HOST:PORT, or "off"')
    if found["user"]:
        raise ValueError("a proxy with a password stands in the environment (HTTPS_PROXY), not in this file")
    return value


def parse_hours(text: str) -> tuple[time, time]:
    """`"18:00-08:00"` as two times of day; ValueError otherwise."""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text)
    if not found:
        raise ValueError(f'{text!r}: write it as "18:00-08:00", or "off"')
    first, second = found.groups()[:2], found.groups()[2:]
    return time(int(first[0]), int(first[1])), time(int(second[0]), int(second[1]))


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is no valid TOML: {error}") from None


def _explain(problem: Any, file: str) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    where = _variable(problem["loc"]) or file
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key {path!r}{_hint(str(problem['loc'][-1]), _siblings(problem['loc']))}"
    if problem["type"] == "missing":
        return f"{where}: {path} is missing"
    if path == "sources":
        return f"{where}: sources is a list of tables: write [[sources]], with two brackets"
    message = _IN_TOML.get(problem["type"]) or problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shown = "" if _is_secret(path) or problem["type"] == "value_error" else f" (got {problem['input']!r})"
    return f"{where}: {path}: {message}{shown}" if path else f"{where}: {message}"


# pydantic speaks of Python's types; a person writes TOML.
_IN_TOML = {
    "tuple_type": 'write a list: ["...", "..."]',
    "dict_type": "write a table: keys with values",
    "model_type": "write a table: keys with values",
    "string_type": 'write a text: "..."',
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "float_parsing": "write a number",
    "float_type": "write a number",
}


def _variable(path: tuple[str | int, ...]) -> str | None:
    """The environment variable that set the key, if one did: it wins over the file."""
    given = {name.upper(): name for name in os.environ}
    for length in range(len(path), 0, -1):
        name = ENVIRONMENT_PREFIX + "__".join(str(part).upper() for part in path[:length])
        if name in given:
            return given[name]
    return None


def _not_json(error: SettingsError) -> str:
    """Lists and tables stand as JSON in a variable. pydantic-settings names only the first part of the key."""
    found = re.search(r'field "(\w+)"', str(error))
    prefix = f"{ENVIRONMENT_PREFIX}{found.group(1).upper()}" if found else ENVIRONMENT_PREFIX
    names = [name for name in os.environ if name.upper() == prefix or name.upper().startswith(f"{prefix}__")]
    return f"{' or '.join(sorted(names)) or prefix}: a list or a table is written as JSON, such as '[\"OWN001\"]'"


def _siblings(path: tuple[str | int, ...]) -> list[str]:
    """The keys that would have been right beside the last part of the path."""
    model: type[BaseModel] = Settings
    tables: dict[str, type[BaseModel]] = {
        "store": StoreSettings, "sources": SourceSettings, "oauth": OAuthSettings, "network": NetworkSettings,
        "write_back": WriteBackSettings, "check": CheckSettings,
        "calendar": CalendarSettings, "teams": TeamSettings, "leave": LeaveSettings, "forecast": ForecastSettings,
        "notifications": NotificationSettings, "planning": PlanningSettings, "service": ServiceSettings,
        "custom_rules": CustomRuleSettings,
        "waivers": WaiverSettings, "trust": TrustSettings,
    }  # fmt: skip
    for part in path[:-1]:
        model = tables.get(str(part), model)
    return list(model.model_fields)


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = [f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in environment:
        if not name.startswith(ENVIRONMENT_PREFIX) or name.startswith(f"{ENVIRONMENT_PREFIX}TEST_"):
            continue
        if name.split("__")[0].upper() not in known:
            raise ConfigurationError(f"unknown environment variable {name}{_hint(name, known)}")


def _is_secret(path: str) -> bool:
    return any(word in path for word in ("token", "secret", "key", "url"))


def _hint(wrong: str, right: Any) -> str:
    near = difflib.get_close_matches(wrong, list(right), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
