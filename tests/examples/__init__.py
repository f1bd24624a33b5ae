"""Clients to copy, through wires that are cut."""

import pytest

pytest.register_assert_rewrite("tests.examples.promises")
