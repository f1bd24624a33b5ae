"""Reports to clients what a mutation has cost, and how many writes remain."""

from typing import Final

from graphql_api.auth.write_limits import WriteLimits
from graphql_api.context import Context
from graphql_api.execution.documents import Documents
from graphql_api.execution.executor import Operation
from graphql_api.execution.response import Response

EXTENSIONS: Final = "extensions"


class CostReport:
    """Adds `extensions.cost` to the responses of mutations, and headers to those over HTTP."""

    def __init__(self, limits: WriteLimits, documents: Documents) -> None:
        self._limits = limits
        self._documents = documents

    def add(self, operation: Operation, context: Context, response: Response) -> None:
        """Add `{"requested": …, "writes": {"limit": …, "remaining": …, "resetSeconds": …}}`.

        `requested` is the number of fields that the operation can resolve. `writes` is the limit of which the least
        remains: that of the user, or of the token. Nothing is added if the sender has no limit, or has written nothing
        through this process in the current window.
        """
        identity = context.request.identity
        budgets = self._limits.budgets(identity.actor) if identity is not None else ()
        if not budgets:
            return
        least = min(budgets, key=lambda budget: budget.remaining)
        response.body[EXTENSIONS] = {
            "cost": {
                "requested": self._documents.cost_of(operation.document, operation.node, operation.request.variables),
                "writes": {
                    "limit": least.limit.max_count,
                    "remaining": least.remaining,
                    "resetSeconds": least.reset_seconds,
                },
            }
        }
        if context.request.transport == "http":
            context.request.response_headers.extend(self._limits.headers(budgets))
