"""The lower bound of a change: lock the row, change it, write its event and commit, with asyncpg and without a server.

One statement makes the change, and a second task numbers the events in batches, as the server does. It includes the
cost of the commit.

python -m benchmarks.baselines.commits DATABASE_URL SECONDS
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from itertools import cycle
from typing import Any, Final

import asyncpg
import uvloop

from benchmarks import dataset
from benchmarks.cases import Case
from benchmarks.environment import Stage
from benchmarks.process import cores
from benchmarks.results import Measurement
from benchmarks.workloads import Workload, cases

NAME: Final = "commits"
CONNECTIONS: Final = 10
WARM_UP_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.005
_GRACE_SECONDS: Final = 30
_AT_A_TIME: Final = 500
MOVE: Final = """
WITH old AS (
    SELECT id, status, version, owner_id, assignee_id FROM tasks WHERE id = $1 AND owner_id = $3 FOR NO KEY UPDATE
), changed AS (
    UPDATE tasks SET status = $2, version = tasks.version + 1, updated_at = now(),
        completed_at = CASE WHEN $2 = 'DONE' THEN now() END
    FROM old WHERE tasks.id = old.id AND old.status <> $2
    RETURNING tasks.id, title, description, tasks.status, priority, created_at, updated_at, tasks.version,
        old.status AS former, tasks.owner_id, tasks.assignee_id
), recorded AS (
    INSERT INTO events (kind, task_id, user_id, payload, recorded_at)
    SELECT 'TASK', id, $3, jsonb_build_object('task', id, 'version', version, 'changes', jsonb_build_array('STATUS'),
        'from', former, 'to', status, 'title', title, 'before', people, 'after', people, 'by', $3::uuid, 'at', now(),
        'request', $4::text), now()
    FROM changed, LATERAL (SELECT jsonb_build_object('owner', owner_id, 'assignee', assignee_id) AS people) AS p
)
SELECT id, title, description, status, priority, created_at, updated_at FROM changed
"""
NUMBER: Final = "SELECT count(*) FROM number_events($1)"


def measure(ground: Stage, seconds: int, number: int) -> Measurement:
    """One run, on the core of the servers.

    Raises:
        RuntimeError: it failed.
    """
    cpu = cores()[0]
    pinned = ["taskset", "--cpu-list", str(cpu)] if cpu is not None else []
    command = [*pinned, sys.executable, "-m", "benchmarks.baselines.commits", ground.ours, str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + _GRACE_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"The bare loop ended with {done.returncode}: {done.stderr[-2_000:]}")
    seen = json.loads(done.stdout)
    return Measurement(Workload.W3.value, NAME, number, seen["rate"], {"per_cpu": seen["per_cpu"]})


async def run(url: str, seconds: float) -> dict[str, float]:
    """Changes per second, and per second of the processor time of this process."""
    todo = cycle(cases(Workload.W3, await dataset.task_ids(url)))
    pool = await asyncpg.create_pool(dataset.plain(url), min_size=CONNECTIONS + 1, max_size=CONNECTIONS + 1)
    try:
        async with pool.acquire() as connection:
            user = await connection.fetchval("SELECT id FROM users WHERE username = 'user1'")
        await _changes(pool, todo, user, WARM_UP_SECONDS)
        began, cpu = time.perf_counter(), time.process_time()
        made = await _changes(pool, todo, user, seconds)
        took, used = time.perf_counter() - began, time.process_time() - cpu
    finally:
        await pool.close()
    return {"rate": made / took, "per_cpu": made / used}


async def _changes(pool: Any, todo: "cycle[Case]", user: object, seconds: float) -> int:
    end = time.perf_counter() + seconds
    numbering = asyncio.create_task(_number(pool))
    try:
        return sum(await asyncio.gather(*(_move(pool, todo, user, end) for _ in range(CONNECTIONS))))
    finally:
        numbering.cancel()


async def _move(pool: Any, todo: "cycle[Case]", user: object, end: float) -> int:
    made = 0
    async with pool.acquire() as connection:
        while time.perf_counter() < end:
            case = next(todo)
            row = await connection.fetchrow(MOVE, case.task, case.status, user, os.urandom(8).hex())
            if row is None:
                raise RuntimeError(f"{case} was no change")
            made += 1
    return made


async def _number(pool: Any) -> None:
    async with pool.acquire() as connection:
        while True:
            await connection.fetchval(NUMBER, _AT_A_TIME)
            await asyncio.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(run(sys.argv[1], float(sys.argv[2])))))
