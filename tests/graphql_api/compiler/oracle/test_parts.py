"""Every module that compiles, runs or shares operations has a mutant that a comparison of both executors notices."""

from pathlib import Path
from typing import Final

from graphql_api import compiler, execution
from tests.graphql_api.compiler.oracle import mutants, mutation_mutants
from tests.graphql_api.delivery import test_mutants as delivery_mutants

GENERAL: Final = {
    "__init__",
    "bounded_cache",
    "cost_report",
    "document",
    "documents",
    "executor",
    "fallback",
    "execution_context",
    "introspection",
    "introspection_cache",
    "large_response",
    "limits",
    "persisted_queries",
    "query_cost",
    "related_fields",
    "request",
    "response",
    "samples",
    "trusted_documents",
    "validation",
}
"""Modules that both executors use in the same way, that belong to the general one, or that only prepare statements."""


def test_every_module_has_a_mutant():
    """A new module is either general, or has a mutant."""
    modules = {file.stem for package in (compiler, execution) for file in Path(package.__path__[0]).glob("*.py")}
    broken = {each.part for each in (*mutants.MUTANTS, *mutation_mutants.MUTANTS, *delivery_mutants.MUTANTS)}
    assert modules - GENERAL == broken


def test_every_module_of_mutations_has_a_mutant():
    """Each module that takes part in mutations is broken for them, too."""
    broken = {each.part for each in mutation_mutants.MUTANTS}
    assert broken == {"arguments", "code_generator", "compiled_executor", "mutations", "plan", "related", "selections"}
