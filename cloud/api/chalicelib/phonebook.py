"""/sites/{id}/phonebook and /sites/{id}/directory: whose names are shown, and whom people look for."""

from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import LINE, IfMatch, Name, Patch, PathId, Sent, Shown, Stored, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.pbx import phonebook
from contract.snapshot.phonebook import PhoneNumber

router = new_router()

Numbers = Annotated[list[PhoneNumber], Field(min_length=1, max_length=8)]


class PhonebookEntry(Stored):
    """Somebody beyond the site whose name is shown when he calls."""

    site_id: UUID
    name: str
    numbers: list[str]


class PhonebookPage(Shown):
    """Some of the entries."""

    items: list[PhonebookEntry]
    next: str | None = None


class NewPhonebookEntry(Sent):
    """An entry to be."""

    name: Name
    numbers: Numbers


class PhonebookEntryPatch(Patch):
    """What changes at an entry."""

    name: Name = absent()
    numbers: Numbers = absent()


class DirectoryItem(Shown):
    """Somebody who can be called."""

    kind: Literal["user", "phonebook"]
    name: str
    numbers: list[str]


class Directory(Shown):
    """Whom a search found, by name."""

    items: list[DirectoryItem]
    more: bool = Field(description="Whether there are others, which a longer search tells apart")


@router.get(
    "/sites/<site_id>/phonebook",
    **operation("listPhonebook", "phonebook", "List a site's phonebook", "tenant_admin"),
)
def list_phonebook(work: Current, site_id: PathId, limit: Limit = 50, cursor: Cursor = None) -> PhonebookPage:
    page = phonebook.list_entries(work.session, site_id, page_request(limit, cursor))
    return PhonebookPage(
        items=[PhonebookEntry.model_validate(row) for row in page.items], next=encode_cursor(page.next)
    )


@router.post(
    "/sites/<site_id>/phonebook",
    **operation("createPhonebookEntry", "phonebook", "Put somebody into the phonebook", "tenant_admin", 201),
)
def create_phonebook_entry(work: Current, site_id: PathId, body: NewPhonebookEntry) -> PhonebookEntry:
    return PhonebookEntry.model_validate(phonebook.create_entry(work.desk, site_id, body.name, body.numbers))


@router.patch(
    "/sites/<site_id>/phonebook/<entry_id>",
    **operation("changePhonebookEntry", "phonebook", "Change an entry of the phonebook", "tenant_admin"),
)
def change_phonebook_entry(
    work: Current, site_id: PathId, entry_id: PathId, body: PhonebookEntryPatch, if_match: IfMatch = None
) -> PhonebookEntry:
    changed = phonebook.change_entry(work.desk, site_id, entry_id, body.changes(), expected_version(if_match))
    return PhonebookEntry.model_validate(changed)


@router.delete(
    "/sites/<site_id>/phonebook/<entry_id>",
    **operation("deletePhonebookEntry", "phonebook", "Take somebody out of the phonebook", "tenant_admin", 204),
)
def delete_phonebook_entry(work: Current, site_id: PathId, entry_id: PathId, if_match: IfMatch = None) -> None:
    phonebook.delete_entry(work.desk, site_id, entry_id, expected_version(if_match))


@router.get(
    "/sites/<site_id>/directory",
    **operation("searchDirectory", "phonebook", "Look for somebody by name or number", "user"),
)
def search_directory(
    work: Current,
    site_id: PathId,
    search: Annotated[str, Query(max_length=64, pattern=LINE, description="Part of a name or number")] = "",
    limit: Limit = 50,
) -> Directory:
    return Directory.model_validate(phonebook.search_directory(work.session, site_id, search, limit))
