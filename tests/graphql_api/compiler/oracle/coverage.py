"""Which kinds of outcomes a run of the oracle has seen."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from graphql import GraphQLNonNull

from domain.errors import ErrorCode
from graphql_api.root import schema
from tests.graphql_api.compiler.oracle.inputs import FIELDS
from tests.graphql_api.compiler.oracle.mutations import CODE, RESULT, Case
from tests.graphql_api.compiler.oracle.outcome import Outcome

_ONE_OF_SEVERAL: Final = "updateTasks.results.task"
_ONLY_REFUSED: Final = {"deleteUser"}
"""What it stores is random, and the name of a deleted user is not used again, as the next case would."""
_NEVER_THERE: Final = {"logout.endSessionUrl"}
"""It needs a sign-in through a provider."""
_NEVER_REFUSED: Final = {"logout", "logoutAll"}
FAILURES: Final = ("BAD_REQUEST", "UNAUTHENTICATED", "FORBIDDEN")


def results() -> set[tuple[str, bool]]:
    """Every field of every payload, being there and, if it may be null, being null. The same of each changed task.

    Invitations and links in mails are not among the random mutations: `compiler/test_mutations.py` compares them.
    """
    root = schema._schema.mutation_type
    assert root is not None
    kinds: dict[str, Any] = {name: field.type for name, field in root.fields.items()}
    of_payloads = {
        (f"{name}.{key}", there)
        for name, kind in kinds.items()
        if name in FIELDS
        for key, known in kind.fields.items()
        for there in (True, False)
        if key != "userErrors" and (there or not isinstance(known.type, GraphQLNonNull))
        if not (there and (name in _ONLY_REFUSED or f"{name}.{key}" in _NEVER_THERE))
    }
    return of_payloads | {(_ONE_OF_SEVERAL, there) for there in (True, False)}


@dataclass
class Coverage:
    """How often each code, each error and each result was seen, by the mutation field where that matters."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    """By the mutation, where `refused` is by the code."""
    failed: Counter[str] = field(default_factory=Counter)
    results: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """By the name of a payload's field, and whether it was there."""

    def missing(self) -> list[str]:
        """What has not been seen: a mutation that succeeded or was refused, a code, a failure, a result."""
        wanted = [(self.done, name) for name in FIELDS if name not in _ONLY_REFUSED] + [
            (self.refused, code.value) for code in ErrorCode
        ]
        wanted += [(self.failed, code) for code in FAILURES]
        wanted += [(self.refusals, name) for name in FIELDS if name not in _NEVER_REFUSED]
        missing = [name for seen, name in wanted if not seen[name]]
        return missing + [f"{name} {there}" for name, there in sorted(results()) if not self.results[name, there]]

    def add(self, case: Case, outcome: Outcome) -> None:
        """Note what came of a case."""
        for sending, body in zip(case.sendings, outcome.bodies, strict=True):
            decoded = orjson.loads(body)
            self.failed.update(error["extensions"]["code"] for error in decoded.get("errors", ()))
            for alias, payload in (decoded.get("data") or {}).items():
                if isinstance(payload, dict) and CODE in payload:
                    self._add_payload(sending.names[alias], payload)

    def _add_payload(self, name: str, payload: dict[str, Any]) -> None:
        codes = [error["code"] for error in payload[CODE]]
        self.refused.update(codes)
        (self.refusals if codes else self.done)[name] += 1
        for key, value in payload.items():
            if key.startswith(RESULT):
                self.results[f"{name}.{key.removeprefix(RESULT)}", value is not None] += 1
        for each in payload.get(f"{RESULT}results", ()):
            self.results[_ONE_OF_SEVERAL, each["task"] is not None] += 1
