"""`taskriver documents …`: adds, lists and removes the trusted documents of clients."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from cli.connections import database_of, database_url_of
from cli.errors import CommandError
from cli.manifest import read_manifest
from cli.output import AsJSON, counted, examples, print_result
from cli.settings import read_settings
from cli.table import Column, table
from domain.actor import OPERATOR
from domain.errors import Invalid
from domain.trusted_document import TrustedDocument, check_client, check_id, named
from graphql_api.errors import cause_of
from graphql_api.execution.document import label_of
from graphql_api.execution.documents import Documents, InvalidDocument
from graphql_api.root import schema
from persistence.database import Database
from persistence.models import TrustedDocumentRow
from server.limits import document_limits
from server.settings import Settings
from services import trusted_document as document_service

documents: Final = typer.Typer(help="Add, list and remove the trusted documents of clients.", no_args_is_help=True)

ResultT = TypeVar("ResultT")
Manifest = Annotated[Path, typer.Argument(help="The manifest, as graphql-codegen, Relay or Apollo writes it.")]
Client = Annotated[str, typer.Option("--client", metavar="NAME", help="The name of the client, for example web.")]
OfClient = Annotated[
    str | None, typer.Option("--client", metavar="NAME", help="List the documents of this client only.")
]
Ids = Annotated[list[str], typer.Option("--id", metavar="ID", help="Remove the document with this id. Repeatable.")]
Except = Annotated[
    Path | None, typer.Option("--except", metavar="MANIFEST", help="Remove what this manifest does not have.")
]

_MAX_REASONS: Final = 10
_MAX_REASON: Final = 300


@documents.command(epilog=examples("taskriver documents add persisted-documents.json --client web"))
def add(manifest: Manifest, client: Client, as_json: AsJSON = False) -> None:
    """Add the documents of a manifest: all, or none.

    Each is checked with the schema and the limits of this version and these settings. Running servers know them within
    two seconds.
    """
    settings = read_settings()
    check_client(client)
    database_url_of(settings)  # fail before the work
    found = _checked(settings, manifest, client, read_manifest(manifest))

    async def run(database: Database) -> document_service.Added:
        uow = database.unit_of_work(OPERATOR)
        return await document_service.add_trusted_documents(uow, client=client, documents=found)

    result = _run(settings, run)
    known = f"; {counted(result.known, 'document')} were there already" if result.known else ""
    text = f"Added {counted(result.added, 'document')} of {client}{known}."
    print_result(text, {"client": client, "added": result.added, "known": result.known}, as_json=as_json)


@documents.command("list", epilog=examples("taskriver documents list --client web"))
def list_(client: OfClient = None, as_json: AsJSON = False) -> None:
    """List the documents that were added, by client and name."""

    async def run(database: Database) -> list[TrustedDocumentRow]:
        return await document_service.list_trusted_documents(database.unit_of_work(OPERATOR), client=client)

    found = _run(read_settings(), run)
    text = _table(found) if found else "There are no trusted documents."
    print_result(text, {"documents": [_facts(row) for row in found]}, as_json=as_json)


@documents.command(
    epilog=examples(
        "taskriver documents remove --client web --id 3f2a9c",
        "taskriver documents remove --client web --except persisted-documents.json",
    )
)
def remove(client: Client, ids: Ids = [], keep: Except = None, as_json: AsJSON = False) -> None:  # noqa: B006 - Typer
    """Remove documents of a client.

    Those with the ids, or those that a manifest does not have; all or none. Running servers forget them within two
    seconds.
    """
    if bool(ids) == (keep is not None):
        raise CommandError("Name either what to remove with --id, or a manifest to keep with --except.")
    kept = read_manifest(keep) if keep is not None else None

    async def run(database: Database) -> int:
        chosen = ids if kept is None else await _others(database, client, kept)
        uow = database.unit_of_work(OPERATOR)
        return await document_service.remove_trusted_documents(uow, client=client, ids=dict.fromkeys(chosen))

    removed = _run(read_settings(), run)
    text = f"Removed {counted(removed, 'document')} of {client}."
    print_result(text, {"client": client, "removed": removed}, as_json=as_json)


async def _others(database: Database, client: str, kept: Mapping[str, str]) -> list[str]:
    rows = await document_service.list_trusted_documents(database.unit_of_work(OPERATOR), client=client)
    return [row.id for row in rows if row.id not in kept]


def _checked(settings: Settings, path: Path, client: str, texts: Mapping[str, str]) -> list[TrustedDocument]:
    """The documents of a manifest, all of which are valid.

    Raises:
        CommandError: some are not; the message names them, and says why.
    """
    valid = Documents(schema, document_limits(settings), introspection=settings.introspection, max_count=1)
    found = list(_examined(valid, client, texts))
    reasons = [each for each in found if isinstance(each, str)]
    if reasons:
        more = f" And {len(reasons) - _MAX_REASONS} more." if len(reasons) > _MAX_REASONS else ""
        raise CommandError(
            f"{path}: {len(reasons)} of {counted(len(texts), 'document')} cannot be added, so nothing was stored. "
            + " ".join(reasons[:_MAX_REASONS])
            + more
        )
    return [each for each in found if isinstance(each, TrustedDocument)]


def _examined(valid: Documents, client: str, texts: Mapping[str, str]) -> Iterator[TrustedDocument | str]:
    for document_id, text in texts.items():
        try:
            check_id(document_id, text)
            document = valid.get(text)
        except InvalidDocument as invalid:
            yield _reason(document_id, text, invalid.errors[0])
        except Invalid as invalid:
            yield _reason(document_id, text, invalid)
        else:
            names = [label_of(operation) for operation in document.operations.values()]
            yield TrustedDocument(document_id, client, named(names), text)


def _reason(document_id: str, text: str, error: Exception) -> str:
    """`3f2a (query Tasks …): why`, on one line."""
    cause = cause_of(error)
    why = " ".join(str(getattr(cause, "message", cause)).split())[:_MAX_REASON]
    begin = " ".join(text[:200].split())[:40]
    end = "" if why.endswith((".", "?")) else "."
    return f"{document_id[:80]!a} ({begin!a}): {why}{end}"


def _table(found: Sequence[TrustedDocumentRow]) -> str:
    rows = [[row.client, row.name, row.id, row.added_at.strftime("%Y-%m-%d")] for row in found]
    shown = table([Column("client"), Column("document"), Column("id"), Column("added")], rows)
    return f"{shown}\n{counted(len(rows), 'document')}"


def _facts(row: TrustedDocumentRow) -> dict[str, Any]:
    return {"id": row.id, "client": row.client, "name": row.name, "addedAt": row.added_at.isoformat(), "text": row.text}


def _run(settings: Settings, work: Callable[[Database], Awaitable[ResultT]]) -> ResultT:
    async def run() -> ResultT:
        async with database_of(settings) as database:
            return await work(database)

    return asyncio.run(run())
