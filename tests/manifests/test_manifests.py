"""The tools write the manifests that the tests of commands add, and their clients send the ids; `make manifests`."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.manifest import read_manifest
from domain.trusted_document import TrustedDocument
from tests.support.api_server import an_api
from tests.support.serving import serving
from tests.support.trusted_documents import add

FOLDER = Path(__file__).parent
CHECKED_IN = FOLDER.parent / "cli" / "manifests"
TOOLS = {
    "graphql-codegen": (["graphql-codegen", "--config", "codegen.ts", "--silent"], "src/gql/persisted-documents.json"),
    "relay": (["relay-compiler"], "persisted_queries.json"),
    "apollo": (["generate-persisted-query-manifest"], "persisted-query-manifest.json"),
}


@pytest.fixture(scope="module")
def manifests() -> dict[str, Path]:
    """The files that the tools have written now, by tool."""
    for old in ("src/gql", "src/relay/__generated__"):
        shutil.rmtree(FOLDER / old, ignore_errors=True)
    (FOLDER / "src/relay/__generated__").mkdir()
    (FOLDER / "persisted_queries.json").write_text("{}")
    for command, _ in TOOLS.values():
        tool = [f"node_modules/.bin/{command[0]}", *command[1:]]
        done = subprocess.run(tool, cwd=FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return {name: FOLDER / written for name, (_, written) in TOOLS.items()}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_manifests_in_the_repository_are_those_of_the_tools(manifests: dict[str, Path], tool: str):
    """Copy the file if a new version of the tool writes another one."""
    assert json.loads((CHECKED_IN / f"{tool}.json").read_text()) == json.loads(manifests[tool].read_text())


async def test_clients_send_ids(manifests: dict[str, Path], new_database: Callable[[], str], redis_url: str):
    """urql, Apollo Client and a network function of Relay are served by id, and never send a text."""
    async with an_api(new_database(), redis_url, {"trusted_documents": "require"}) as api:
        for client, path in manifests.items():
            texts = read_manifest(path)
            await add(api.server.database, [TrustedDocument(key, client, "Name", text) for key, text in texts.items()])
        await api.server.document_reader.read()
        user = await api.a_user()
        async with serving(api.server.asgi()) as url:
            given = {"API_URL": f"{url}/graphql", "API_TOKEN": await api.token(user), "NODE_ENV": "production"}
            node = await asyncio.create_subprocess_exec(
                *("node", "clients.mjs"),
                cwd=FOLDER,
                env=os.environ | given,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            output, errors = await node.communicate()
    assert node.returncode == 0, errors.decode()
    me = user.username
    assert json.loads(output) == {
        "urql": {"me": me, "created": "By id", "other": "DOCUMENT_NOT_FOUND"},
        "urqlById": {"me": me},
        "apollo": {"me": me, "created": "By id"},
        "relay": {"isInManifest": True, "documentId": me, "doc_id": me},
        "texts": [],
    }
