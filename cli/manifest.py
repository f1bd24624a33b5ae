"""Reads manifests: the files in which build tools list the GraphQL documents of a client.

- graphql-codegen's client preset (`persistedDocuments`) and Relay's compiler (`persistConfig.file`) write
  `{"<id>": "<text>"}`.
- Apollo's `generate-persisted-query-manifest` writes `{"format": "apollo-persisted-query-manifest", "version": 1,
  "operations": [{"id", "name", "type", "body"}]}`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cli.errors import CommandError

MAX_BYTES: Final = 20_000_000
APOLLO: Final = "apollo-persisted-query-manifest"

Documents = dict[str, str]
"""Texts by id."""


class _Duplicate(Exception):
    """A key occurs twice in a JSON object."""


def read_manifest(path: Path) -> Documents:
    """The documents of a manifest.

    Raises:
        CommandError: the file is not a manifest; the message says what is wrong, and where.
        OSError: it cannot be read.
    """
    value = _json(path)
    if not isinstance(value, dict):
        raise CommandError(
            f"{path} is not a manifest: it must be a JSON object, of ids and texts or in Apollo's format."
        )
    found = _of_apollo(path, value) if "format" in value and "operations" in value else _of_pairs(path, value)
    if not found:
        raise CommandError(f"{path} has no documents: check that the tool found the documents of the client.")
    return found


def _json(path: Path) -> Any:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise CommandError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB: this is no manifest, or one to split.")
    try:
        return json.loads(content, object_pairs_hook=_unique)
    except _Duplicate as duplicate:
        raise CommandError(f"{path} has the key {_short(duplicate.args[0])} twice.") from None
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON in UTF-8: {str(error)[:200]}.") from None


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Duplicate(key)
        found[key] = value
    return found


def _of_pairs(path: Path, value: dict[str, Any]) -> Documents:
    for document_id, text in value.items():
        if not isinstance(text, str):
            raise CommandError(
                f"{path} is not a manifest: the value of {_short(document_id)} is not the text of a document. "
                'The formats are those of graphql-codegen and Relay, {"<id>": "<text>"}, and of Apollo.'
            )
    return value


def _of_apollo(path: Path, value: dict[str, Any]) -> Documents:
    if value["format"] != APOLLO or value.get("version") != 1 or not isinstance(value["operations"], list):
        raise CommandError(f'{path} is no manifest of Apollo: its "format" must be "{APOLLO}", and its "version" 1.')
    found: Documents = {}
    for number, operation in enumerate(value["operations"], 1):
        document_id, text = (operation.get(key) if isinstance(operation, dict) else None for key in ("id", "body"))
        if not isinstance(document_id, str) or not isinstance(text, str):
            raise CommandError(f'{path}: operation {number} must have an "id" and a "body", which are texts.')
        if document_id in found:
            raise CommandError(f"{path} has the id {_short(document_id)} twice.")
        found[document_id] = text
    return found


def _short(text: str) -> str:
    return ascii(text if len(text) <= 80 else f"{text[:80]}…")
