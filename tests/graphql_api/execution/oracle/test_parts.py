"""Every module that compiles, runs or shares operations has a mistake that a comparison notices."""

from pathlib import Path
from typing import Final

import graphql_api.execution as execution
from tests.graphql_api.execution.oracle import mutants, mutation_mutants
from tests.graphql_api.sharing import test_mutants as sharing

GENERAL: Final = {
    "__init__",
    "bounded",
    "deviation",
    "documents",
    "executor",
    "input_errors",
    "introspection",
    "introspection_cache",
    "limits",
    "measure",
    "operation",
    "persisted",
    "request",
    "response",
}
"""Modules that both executors use in the same way, or that belong to the general one."""


def test_every_part_has_a_mistake_that_is_noticed():
    """A new module is either general, or has a mutant."""
    there_are = {file.stem for file in Path(execution.__path__[0]).glob("*.py")}
    broken = {each.part for each in (*mutants.MUTANTS, *mutation_mutants.MUTANTS, *sharing.MUTANTS)}
    assert there_are - GENERAL == broken - {"at_once"}


def test_mutations_have_mistakes_of_their_own():
    """Each part that takes part in mutations is broken for them, too."""
    broken = {each.part for each in mutation_mutants.MUTANTS}
    assert broken == {"arguments", "changes", "compiled", "fields", "plan", "projection"}
