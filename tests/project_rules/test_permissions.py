"""docs/permissions.md has the tables of the policy."""

from tools.permission_tables import PAGE, page


def test_the_tables_are_current():
    """`make permissions` updates them."""
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text
