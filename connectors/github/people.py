"""Who is who: the account behind the token, and the people of the repositories."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from backlint.connectors.github import queries
from backlint.connectors.github.access import AppToken
from backlint.connectors.github.client import Client
from backlint.connectors.github.mapping import PageInfo, RestUser, person
from backlint.connectors.github.pulling import Home
from backlint.connectors.http import decode
from backlint.connectors.paging import Bookmarks
from backlint.errors import PermissionMissing
from backlint.model import Person
from backlint.settings import SourceSettings


class _Camel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class _User(_Camel, frozen=True, kw_only=True):
    login: str
    database_id: int | None = None
    name: str | None = None


class _Users(_Camel, frozen=True, kw_only=True):
    page_info: PageInfo
    nodes: tuple[_User | None, ...] = ()


class _Repository(_Camel, frozen=True, kw_only=True):
    assignable_users: _Users


class _Data(_Camel, frozen=True, kw_only=True):
    repository: _Repository | None = None


class _App(msgspec.Struct, frozen=True, kw_only=True):
    slug: str


class Directory:
    """Asks once for our own account; the people are asked for whenever they are wanted."""

    def __init__(self, client: Client, settings: SourceSettings) -> None:
        self._client, self._settings = client, settings
        self._own: Person | None = None

    def own(self) -> Person:
        """The account that our comments and labels carry."""
        if self._own is None:
            self._own = person(self._user().actor)
        return self._own

    def people(self, homes: Iterable[Home]) -> tuple[Person, ...]:
        """Everybody whom an issue may be assigned to, and our own account.

        GitHub tells of nobody that they have left; whoever may be assigned is there. Others are not listed.
        """
        found = {self.own().id: self.own()}
        for people in self._client.http.in_parallel(self._assignable, homes):
            found |= {each.id: each for each in people}
        return tuple(found.values())

    def _user(self) -> RestUser:
        auth = self._client.auth
        if isinstance(auth, AppToken):
            return self._bot(f"{self._slug(auth)}[bot]")
        try:
            return self._decoded("/user")
        except PermissionMissing:
            # Tokens that a workflow or another program got for an installation belong to no user [unverified].
            return self._bot(self._client.viewer())

    def _slug(self, auth: AppToken) -> str:
        response = self._client.as_app("/app", auth)
        return decode(response.content, _App, source=self._client.source).slug

    def _bot(self, login: str) -> RestUser:
        return self._decoded(f"/users/{quote(login, safe='')}")

    def _decoded(self, url: str) -> RestUser:
        return decode(self._client.get(url).content, RestUser, source=self._client.source)

    def _assignable(self, home: Home) -> list[Person]:
        found: list[Person] = []
        after: str | None = None
        bookmarks = Bookmarks(self._client.source, f"the list of people of {home.scope}")
        while True:
            answered = self._client.data(queries.PEOPLE, _Data, {**home.variables, "after": after}, what=home.scope)
            if answered.repository is None:
                return found
            users = answered.repository.assignable_users
            found += [_person(user) for user in users.nodes if user]
            after = users.page_info.end_cursor
            if not users.page_info.has_next_page or after is None:
                return found
            bookmarks.turn_to(after)


def _person(user: _User) -> Person:
    return Person(
        id=str(user.database_id) if user.database_id else user.login,
        name=user.name or user.login,
        handle=user.login,
        is_active=True,
    )
