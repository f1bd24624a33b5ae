"""The documents that are measured for the event loop: the server accepts them, and they are close to its limits."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from graphql import parse

from benchmarks.expensive_documents import Document, documents
from graphql_api.execution.documents import Documents
from graphql_api.execution.limits import Limits, document_size_of
from graphql_api.execution.query_cost import CostCalculator
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id

LIMITS = Limits()
DOCUMENTS = documents(encode_id("Task", uuid4()))
MAX_BODY = 256 * 1024


def _cost(document: Document) -> int:
    calculator = CostCalculator(schema._schema)
    return max(cost.cost for cost in calculator.costs_of(parse(document.text), {}).operations.values())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_document_is_accepted(document: Document):
    """Also with the comment that makes it new."""
    accepting = Documents(schema)
    found = accepting.get(f"# comment\n{document.text}")
    accepting.check_cost(found, found.operation(document.operation), document.variables)
    assert len(document.body("comment")) < MAX_BODY


def test_names_are_unique():
    """They are the names of measurements."""
    assert len({document.name for document in DOCUMENTS}) == len(DOCUMENTS)


@pytest.mark.parametrize(
    ("limit", "of"),
    [
        (LIMITS.max_characters, lambda document: len(document.text)),
        (LIMITS.max_aliases, lambda document: document_size_of(parse(document.text)).aliases),
        (LIMITS.max_operations, lambda document: document_size_of(parse(document.text)).operations),
        (LIMITS.max_fragments, lambda document: document_size_of(parse(document.text)).fragments),
        (LIMITS.max_variables, lambda document: document_size_of(parse(document.text)).variables),
        (LIMITS.max_directives, lambda document: document_size_of(parse(document.text)).directives),
        (LIMITS.max_overlap, lambda document: document_size_of(parse(document.text)).overlap),
        (LIMITS.max_cost, _cost),
        (MAX_BODY, lambda document: len(document.body(""))),
    ],
    ids=["characters", "aliases", "operations", "fragments", "variables", "directives", "overlap", "cost", "body"],
)
def test_each_limit_is_nearly_reached(limit: int, of: Callable[[Document], int]):
    """By one of the documents."""
    assert 0.75 * limit <= max(of(document) for document in DOCUMENTS) <= limit
