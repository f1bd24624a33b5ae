"""Prints the tables and columns that this version reads and writes, as JSON.

A release stores it: later migrations are compared with it, because they run while servers of the release run.

python -m tools.used_tables > tests/project_rules/baseline/tables.json
"""

import json
import sys
from typing import Any

from persistence.models import Base
from persistence.models.event import EVENT_HEAD
from persistence.schema_check import revisions


def used() -> dict[str, Any]:
    """The last revision, and the columns by table; the view of the log's head counts as a table."""
    tables = [*Base.metadata.tables.values(), EVENT_HEAD]
    columns = {table.name: sorted(column.name for column in table.columns) for table in tables}
    return {"revision": revisions()[-1], "tables": dict(sorted(columns.items()))}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(used(), indent=2) + "\n")
