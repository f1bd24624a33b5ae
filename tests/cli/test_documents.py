"""`taskriver documents …`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.manifest import MAX_BYTES
from domain.trusted_document import MAX_DOCUMENTS, digest_of
from tests.cli.conftest import CommandResult, Run
from tests.support.builders import Builders

MANIFESTS = Path(__file__).parent / "manifests"
"""What the tools have written; `make manifests` compares them."""
ME = "query Me { me { username } }"
OTHER = "query Other { me { id } }"
DEEP = "query Deep { tasks(first: 100) { nodes { comments(first: 100) { nodes { id } } } } }"


@pytest.fixture(autouse=True)
def empty(ask: Any) -> None:
    """A database without documents."""
    ask(Builders.clear)


@pytest.fixture
def documents(run: Run, database_url: str) -> Callable[..., CommandResult]:
    """Run a command about documents."""
    return lambda *arguments, **settings: run("documents", *arguments, **({"DATABASE_URL": database_url} | settings))


@pytest.fixture
def add(documents: Callable[..., CommandResult], tmp_path: Path) -> Callable[..., CommandResult]:
    """Add a manifest with this content."""

    def add(content: Any, client: str = "web", **settings: str) -> CommandResult:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        (tmp_path / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return documents("add", "manifest.json", "--client", client, **settings)

    return add


@pytest.fixture
def listed(documents: Callable[..., CommandResult]) -> Callable[..., list[dict[str, str]]]:
    """What is stored."""
    return lambda *options: json.loads(documents("list", "--json", *options).out)["documents"]


class TestAdd:
    @pytest.mark.parametrize(
        ("name", "count"),
        [("graphql-codegen.json", 3), ("relay.json", 3), ("apollo.json", 3)],
        ids=str,
    )
    def test_the_manifests_of_the_tools_are_added(self, documents: Any, listed: Any, name: str, count: int):
        """All of their documents, with the ids that their clients send."""
        result = documents("add", str(MANIFESTS / name), "--client", "web")
        assert result == CommandResult(0, f"Added {count} documents of web.\n", "")
        assert len(listed()) == count

    def test_what_is_there_already_stays(self, add: Any, listed: Any):
        """So the command can be repeated, and the next manifest can have old documents."""
        add({digest_of(ME): ME})
        result = add({digest_of(ME): ME, digest_of(OTHER): OTHER})
        assert result == CommandResult(0, "Added 1 document of web; 1 document were there already.\n", "")
        assert [each["name"] for each in listed()] == ["Me", "Other"]

    def test_clients_may_share_a_document(self, add: Any, listed: Any):
        """It is listed for each of them."""
        add({"1": ME})
        add({"1": ME}, "phone")
        assert [each["client"] for each in listed()] == ["phone", "web"]
        assert [each["id"] for each in listed("--client", "web")] == ["1"]

    @pytest.mark.parametrize("client", ["web", "phone"])
    def test_an_id_keeps_its_text(self, add: Any, listed: Any, client: str):
        """For all clients: which of them sends a request is not known."""
        add({"1": ME})
        refusal = add({"2": OTHER, "1": OTHER}, client).refusal
        assert refusal.startswith("The id 1 (Other) has another text, for the client web.")
        assert [each["text"] for each in listed()] == [ME]

    @pytest.mark.parametrize(
        ("manifest", "reason"),
        [
            ({"1": ME, "2": "{ nothing }"}, "'2' ('{ nothing }'): Cannot query field 'nothing' on type 'Query'."),
            ({"1": ME, "2": "query {"}, "'2' ('query {'): Syntax Error: Expected Name, found <EOF>."),
            ({"1": ME, "2": ""}, "'2' (''): Syntax Error: Unexpected <EOF>."),
            ({"1": ME, "2": DEEP}, "'2' ('query Deep { tasks(first: 100) { nodes {'): "),
            ({"": ME}, "'' ('query Me { me { username } }'): An id has 1 to 256 visible ASCII characters"),
            ({"a b": ME}, "'a b' ('query Me { me { username } }'): An id has 1 to 256 visible ASCII characters"),
            ({f"sha256:{'0' * 64}": ME}, "The id is not the SHA-256 of the document's text: make the manifest again."),
        ],
        ids=["unknown field", "syntax", "empty", "too expensive", "empty id", "id with a space", "wrong digest"],
    )
    def test_an_invalid_document_is_named(self, add: Any, listed: Any, manifest: dict[str, str], reason: str):
        """One line says which and why, and nothing is stored."""
        refusal = add(manifest).refusal
        assert f"manifest.json: 1 of {len(manifest)} document" in refusal
        assert "nothing was stored" in refusal
        assert reason in refusal
        assert listed() == []

    def test_the_settings_limit_documents(self, add: Any):
        """The limits are those of the server, as far as the settings say so."""
        assert "1 of 1 document cannot be added" in add({"1": ME}, QUERY_MAX_DEPTH="1").refusal
        introspection = {"1": "{ __schema { queryType { name } } }"}
        assert "introspection" in add(introspection, INTROSPECTION="false").refusal
        assert add(introspection).code == 0

    def test_many_reasons_are_cut(self, add: Any):
        """The first ten."""
        refusal = add({str(number): f"{{ nothing{number} }}" for number in range(30)}).refusal
        assert refusal.count("Cannot query field") == 10
        assert refusal.endswith("And 20 more.")

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ("", "manifest.json is not JSON in UTF-8"),
            ("{", "manifest.json is not JSON in UTF-8"),
            (b'{"1": "\xff"}', "manifest.json is not JSON in UTF-8"),
            ("[" * 100_000, "manifest.json is not JSON in UTF-8"),
            ("[]", "manifest.json is not a manifest: it must be a JSON object"),
            ("{}", "manifest.json has no documents"),
            ({"1": {"text": ME}}, "the value of '1' is not the text of a document"),
            ('{"1": "{ me { id } }", "1": "{ me { id } }"}', "manifest.json has the key '1' twice."),
            ({"format": "other", "version": 1, "operations": []}, "is no manifest of Apollo"),
            (
                {"format": "apollo-persisted-query-manifest", "version": 2, "operations": []},
                'its "format" must be "apollo-persisted-query-manifest", and its "version" 1.',
            ),
            ({"format": "apollo-persisted-query-manifest", "version": 1, "operations": []}, "has no documents"),
            (
                {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "1"}]},
                'operation 1 must have an "id" and a "body"',
            ),
            (
                {
                    "format": "apollo-persisted-query-manifest",
                    "version": 1,
                    "operations": [{"id": "1", "body": ME}, {"id": "1", "body": OTHER}],
                },
                "manifest.json has the id '1' twice.",
            ),
        ],
    )
    def test_what_is_no_manifest_is_refused(self, add: Any, listed: Any, content: Any, reason: str):
        """The message says what is wrong."""
        assert reason in add(content).refusal
        assert listed() == []

    def test_a_huge_file_is_not_read(self, documents: Any, tmp_path: Path):
        """100 MB; it is a sparse file here."""
        with (tmp_path / "huge.json").open("wb") as file:
            file.truncate(100_000_000)
        refusal = documents("add", "huge.json", "--client", "web").refusal
        assert refusal.startswith(f"huge.json is larger than {MAX_BYTES // 1_000_000} MB")

    def test_a_missing_file_is_named(self, documents: Any):
        """As the system calls it."""
        assert documents("add", "none.json", "--client", "web").refusal == "none.json: No such file or directory."

    @pytest.mark.parametrize("client", ["", "Web", "w" * 51, "my client", "-web", "taskriver-board"])
    def test_a_wrong_client_is_refused(self, add: Any, client: str):
        """Names are labels of metrics; those of the own clients are taken."""
        assert "client" in add({"1": ME}, client).refusal

    def test_there_is_a_maximum(self, add: Any, listed: Any, monkeypatch: pytest.MonkeyPatch):
        """Every process keeps the texts in memory."""
        monkeypatch.setattr("domain.trusted_document.MAX_DOCUMENTS", 1)
        assert MAX_DOCUMENTS == 10_000
        add({"1": ME})
        assert "the maximum is 1." in add({"2": OTHER}).refusal
        assert len(listed()) == 1


class TestList:
    def test_it_is_a_table(self, documents: Any, add: Any):
        """By client and name."""
        assert documents("list").out == "There are no trusted documents.\n"
        add({"2": ME, "1": OTHER})
        lines = documents("list").out.splitlines()
        assert [line.split()[:3] for line in lines[1:-1]] == [["web", "Me", "2"], ["web", "Other", "1"]]
        assert lines[-1] == "2 documents"


class TestRemove:
    def test_by_id(self, documents: Any, add: Any, listed: Any):
        """All of the named ones, or none."""
        add({"1": ME, "2": OTHER})
        refusal = documents("remove", "--client", "web", "--id", "1", "--id", "3").refusal
        assert refusal == "The client web has no trusted document with the id 3."
        assert len(listed()) == 2
        result = documents("remove", "--client", "web", "--id", "1")
        assert result == CommandResult(0, "Removed 1 document of web.\n", "")
        assert [each["id"] for each in listed()] == ["2"]

    def test_all_that_a_manifest_does_not_have(self, documents: Any, add: Any, listed: Any, tmp_path: Path):
        """Those of other clients stay."""
        add({"1": ME}, "phone")
        add({"1": ME, "2": OTHER})
        (tmp_path / "new.json").write_text(json.dumps({"2": OTHER}))
        assert documents("remove", "--client", "web", "--except", "new.json").out == "Removed 1 document of web.\n"
        assert [(each["client"], each["id"]) for each in listed()] == [("phone", "1"), ("web", "2")]

    def test_what_to_remove_must_be_named(self, documents: Any):
        """Once."""
        assert "--except" in documents("remove", "--client", "web").refusal
        assert "--except" in documents("remove", "--client", "web", "--id", "1", "--except", "new.json").refusal
