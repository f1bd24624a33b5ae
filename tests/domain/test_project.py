"""The rules for projects."""

import pytest

from domain.errors import Invalid, LastManager
from domain.project import check_description, check_key, check_managers_remain, check_name


@pytest.mark.parametrize(
    ("given", "key"), [("WEB", "WEB"), (" web ", "WEB"), ("a1", "A1"), ("ABCDEFGHIJ", "ABCDEFGHIJ")]
)
def test_a_key_is_stored_in_upper_case(given: str, key: str):
    """2 to 10 letters and digits."""
    assert check_key(given) == key


@pytest.mark.parametrize(
    "key", ["", "A", "1A", "ABCDEFGHIJK", "A-B", "A B", "WÄB", "ſs", "A\x00", "\ud800A", "WEB-1", "١٢", "A\nB"]
)
def test_other_keys_are_refused(key: str):
    """At the field `key`."""
    with pytest.raises(Invalid) as caught:
        check_key(key)
    assert caught.value.path == ("key",)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", "\ud800"])
def test_names_have_limits(name: str):
    """1 to 100 characters of text."""
    with pytest.raises(Invalid):
        check_name(name)
    assert check_name(f" {'x' * 100} ") == "x" * 100


def test_descriptions_have_a_limit():
    """10,000 characters."""
    assert check_description("x" * 10_000)
    with pytest.raises(Invalid):
        check_description("x" * 10_001)


def test_a_manager_remains():
    """At least one."""
    check_managers_remain(1)
    with pytest.raises(LastManager):
        check_managers_remain(0)
