"""Both executors on one database, and how a case is run by each of them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final

import orjson

from asgi.client import Identity
from asgi.request_context import Header, RequestContext
from graphql_api.auth.passwords import Passwords
from graphql_api.context import Context
from graphql_api.execution.compiled_executor import CompiledExecutor
from graphql_api.execution.documents import Documents
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.response import Response
from graphql_api.root import schema
from server.app import Server
from tests.graphql_api.compiler.oracle.mutations import Case, Sending, case_of
from tests.graphql_api.compiler.oracle.outcome import Outcome, Run, outcome
from tests.graphql_api.compiler.oracle.situation import NEVER, PASSWORD, Situation, stored
from tests.support.api_server import settings_of
from tests.support.limits import UNLIMITED
from tests.support.waiting import HANG_SECONDS

ROUNDS: Final = 4
LIMITS: Final = dict.fromkeys(
    (
        "login_failures_per_account",
        "sign_ins_per_account",
        "password_changes_per_account",
        "refreshes_per_session",
        "refreshes_per_session_and_day",
    ),
    UNLIMITED,
)


@dataclass(frozen=True)
class ExecutorPair:
    """A server without a running stream: events get no positions, so that the history is equal in both runs."""

    server: Server
    password_hash: str
    general: Executor[Context]
    compiled: Executor[Context]
    plans: CompiledExecutor

    @classmethod
    async def prepared(cls, database_url: str, redis_url: str) -> "ExecutorPair":
        """An executor pair on an empty database."""
        settings = settings_of(database_url, redis_url, bcrypt_rounds=ROUNDS, **LIMITS)
        server = Server(settings, rate_limit_timeout=HANG_SECONDS)
        return cls(server, await Passwords(ROUNDS).hash(PASSWORD), *_executors())

    def without_plans(self) -> "ExecutorPair":
        """The same, with executors that have seen no document yet."""
        return ExecutorPair(self.server, self.password_hash, *_executors())

    def situation(self, seed: int) -> Situation:
        """The rows that the case of this seed begins with."""
        key_id, key = next(iter(self.server.settings.key_ring.items()))
        return Situation.of(seed, key_id=key_id, key=key, password_hash=self.password_hash)

    def case(self, seed: int) -> tuple[Situation, Case]:
        """The case of this seed, and the rows that it begins with."""
        situation = self.situation(seed)
        return situation, case_of(schema._schema, situation, seed)

    async def run(self, executor: Executor[Context], situation: Situation, case: Case) -> Run:
        """Restore the situation, and send the requests one after the other."""
        await situation.restore(self.server.database)
        answered = [await self._send(executor, situation, case, sending) for sending in case.sendings]
        return await self._run(answered)

    async def race(self, executor: Executor[Context], situation: Situation, cases: Sequence[Case]) -> Run:
        """Restore the situation, and send the requests of all cases at the same time. No one has to send it again."""
        await situation.restore(self.server.database)
        sendings = [(case, sending) for case in cases for sending in case.sendings]
        answered = await asyncio.gather(*(self._send(executor, situation, *each) for each in sendings))
        return await self._run(answered)

    async def orders(self, executor: Executor[Context], situation: Situation, cases: Sequence[Case]) -> list[Run]:
        """Every order in which the cases can follow each other; answers are in the order of the cases."""
        return [await self._in_order(executor, situation, cases, order) for order in permutations(range(len(cases)))]

    async def _in_order(
        self, executor: Executor[Context], situation: Situation, cases: Sequence[Case], order: Sequence[int]
    ) -> Run:
        await situation.restore(self.server.database)
        answered = {
            number: await self._send(executor, situation, cases[number], cases[number].sendings[0]) for number in order
        }
        return await self._run([answered[number] for number in range(len(cases))])

    async def _run(self, answered: Sequence[tuple[Response, RequestContext]]) -> Run:
        return Run(
            tuple(orjson.dumps(response.body, option=orjson.OPT_UTC_Z) for response, _ in answered),
            tuple(tuple(value for _, value in facts.response_headers) for _, facts in answered),
            tuple(facts.carries_secret for _, facts in answered),
            await stored(self.server.database),
        )

    async def _send(
        self, executor: Executor[Context], situation: Situation, case: Case, sending: Sending
    ) -> tuple[Response, RequestContext]:
        facts = _facts(situation, case, sending.headers)
        operation = await executor.prepare(sending.request, request_id=facts.request_id)
        if not isinstance(operation, Operation):
            return operation, facts
        return await executor.execute(operation, Context(self.server.backend, facts)), facts

    async def both(self, situation: Situation, case: Case) -> tuple[Outcome, Outcome]:
        """The outcome in general, and the compiled one."""
        return await self._outcome(self.general, situation, case), await self._outcome(self.compiled, situation, case)

    async def _outcome(self, executor: Executor[Context], situation: Situation, case: Case) -> Outcome:
        run = await self.run(executor, situation, case)
        return outcome(run, situation, recorded_in_order=case.is_in_order)

    async def differs(self, seeds: Iterable[int]) -> int | None:
        """The first case with different outcomes, or with a failed plan; None if there is none."""
        for seed in seeds:
            situation, case = self.case(seed)
            expected = await self._outcome(self.general, situation, case)
            try:
                found = await self._outcome(self.compiled, situation, case)
            except Exception:
                return seed
            if found != expected:
                return seed
        return None


def _executors() -> tuple[Executor[Context], Executor[Context], CompiledExecutor]:
    documents, plans = Documents(schema), CompiledExecutor(schema._schema, strict=True, at_first_request=True)
    return (
        Executor(schema, documents, timeout=HANG_SECONDS),
        Executor(schema, documents, timeout=HANG_SECONDS, fast_path=plans),
        plans,
    )


def _facts(situation: Situation, case: Case, headers: Sequence[Header]) -> RequestContext:
    identity = Identity(situation.actor(case.actor), NEVER) if case.actor is not None else None
    scope: dict[str, Any] = {"client": ("127.0.0.1", 1), "headers": list(headers), "path": "/graphql"}
    transport: Any = case.transport
    return RequestContext(identity, None, "same", transport, scope)
