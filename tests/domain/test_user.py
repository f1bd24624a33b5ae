"""Usernames, e-mail addresses and passwords."""

import contextlib
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid, LastAdmin
from domain.user import (
    MAX_EMAIL,
    MAX_PASSWORD_BYTES,
    MAX_SENT_PASSWORD_BYTES,
    check_admins_remain,
    check_email,
    check_password,
    check_username,
)

ANY_TEXT = st.text(st.characters(), max_size=25)


class TestCheckUsername:
    @pytest.mark.parametrize("name", ["abc", "a.b", "A-_.9", "0" * 20, "X" * 3])
    def test_valid_usernames(self, name: str):
        """Letters, digits, dots, dashes and underscores, with a letter or digit at both ends."""
        assert check_username(name) == name

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "ab",
            "a" * 21,
            ".ab",
            "ab-",
            "a b",
            "abc\n",
            "a\x00bc",
            "äbc",
            "ａｂｃ",
            "a\u212ac",
            "abc\u200b",
            "a\ud800c",
        ],
    )
    def test_invalid_usernames(self, name: str):
        """Too short or too long, with an invalid end, with white space, or with similar characters beyond ASCII."""
        with pytest.raises(Invalid) as refusal:
            check_username(name)
        assert refusal.value.path == ("username",)

    @given(ANY_TEXT)
    def test_usernames_are_ascii(self, name: str):
        """Python and every PostgreSQL have the same lower case for them."""
        with contextlib.suppress(Invalid):
            assert check_username(name).isascii()


class TestCheckEmail:
    @pytest.mark.parametrize(
        "address",
        [
            "a@b.co",
            "first.last+tag@sub.example.org",
            "o'hara{x}@example.org",
            "jürgen@example.org",
            "иван@example.xn--p1ai",
            "x" * 64 + "@example.org",
            "a@" + "b" * 63 + ".org",
        ],
    )
    def test_valid_addresses(self, address: str):
        """Plain, tagged and international addresses, with the longest local part and label."""
        assert check_email(f" {address}\n") == address

    def test_equivalent_addresses_are_equal(self):
        """Composed and decomposed letters give the same address."""
        assert check_email("ju\u0308rgen@example.org") == check_email("j\u00fcrgen@example.org")

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@b.c",
            "a@b..co",
            ".a@b.co",
            "a.@b.co",
            "a..a@b.co",
            "a b@c.de",
            "a@b@c.de",
            "a@-b.co",
            "a@b-.co",
            "a@b.1o",
            "a@exämple.org",
            "<a@b.co>",
            "a,b@c.de",
            "x" * 65 + "@example.org",
            "a\x07b@c.de",
            "a\u200bb@c.de",
            "a\u202eb@c.de",
            "a\x00b@c.de",
            "a\ud800b@c.de",
        ],
    )
    def test_invalid_addresses(self, address: str):
        """Missing parts, bad dots and labels, and invisible characters."""
        with pytest.raises(Invalid) as refusal:
            check_email(address)
        assert refusal.value.path == ("email",)

    def test_254_bytes_fit_and_255_do_not(self):
        """The limit of the mail protocols is in bytes."""
        domain = "@" + ".".join(["b" * 60] * 3) + ".org"
        local = "é" * ((MAX_EMAIL - len(domain)) // 2)
        longest = local + "a" * ((MAX_EMAIL - len(domain)) % 2) + domain

        assert check_email(longest) == longest
        with pytest.raises(Invalid, match="too long"):
            check_email("a" + longest)

    @given(ANY_TEXT)
    def test_any_text_is_an_address_or_invalid(self, local: str):
        """With any text before the at sign, the result is an address or `Invalid`."""
        with contextlib.suppress(Invalid):
            assert check_email(f"{local}@example.org").encode()


class TestCheckPassword:
    @pytest.mark.parametrize("password", ["Abcdef1!", "ÄÖÜäöü1€", "P1_" + "x" * 60, "Ab1🛶🛶🛶🛶🛶"])
    def test_strong_passwords_are_accepted(self, password: str):
        """Eight characters with both cases, a digit and a symbol, of any script."""
        assert check_password(password) == password

    @pytest.mark.parametrize(
        ("password", "missing"),
        [
            ("Abcde1!", "at least 8 characters"),
            ("abcdef1!", "an upper-case letter"),
            ("ABCDEF1!", "a lower-case letter"),
            ("Abcdefg!", "a digit"),
            ("Abcdefg1", "a symbol"),
            ("Abcdef1 ", "a symbol"),
        ],
    )
    def test_the_message_says_what_is_missing(self, password: str, missing: str):
        """It names what is missing, at the given field, and does not repeat the password."""
        with pytest.raises(Invalid) as refusal:
            check_password(password, field="newPassword")

        assert refusal.value.path == ("newPassword",)
        assert refusal.value.message == f"newPassword needs {missing}."

    @pytest.mark.parametrize("space", [" ", "\t", "\n", "\u00a0", "\u2003"])
    def test_white_space_is_refused(self, space: str):
        """Any kind of white space, anywhere."""
        with pytest.raises(Invalid, match="spaces"):
            check_password(f"Abc{space}def1!")

    def test_1_024_bytes_count_and_one_more_is_refused(self):
        """The limit is in bytes of UTF-8."""
        assert check_password("Ab1!" + "é" * 510)
        with pytest.raises(Invalid, match="1,024 bytes") as refusal:
            check_password("Ab1!x" + "é" * 510)
        assert len(("Ab1!" + "é" * 510).encode()) == MAX_PASSWORD_BYTES
        assert "Ab1!" not in refusal.value.message

    @given(ANY_TEXT)
    def test_any_text_is_a_password_or_invalid(self, text: str):
        """NUL, surrogates and other text are `Invalid` or accepted in their normal form."""
        with contextlib.suppress(Invalid):
            assert check_password(f"Aa1!{text}") == unicodedata.normalize("NFC", f"Aa1!{text}")


class TestCheckAdminsRemain:
    def test_one_active_admin_must_remain(self):
        """The last active admin cannot be removed."""
        check_admins_remain(1)
        with pytest.raises(LastAdmin) as refusal:
            check_admins_remain(0)
        assert refusal.value.path == ("userId",)


class TestNormalForm:
    def test_a_long_password_is_refused_before_normalisation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Normalising a long run of combining marks takes minutes."""
        lengths: list[int] = []
        real = unicodedata.normalize

        def normalize(form: Literal["NFC"], text: str) -> str:
            lengths.append(len(text))
            return real(form, text)

        monkeypatch.setattr(unicodedata, "normalize", normalize)
        with pytest.raises(Invalid, match="too long"):
            check_email("a" + "\u0301\u0316" * 60_000 + "@example.org")
        with pytest.raises(Invalid, match="too long"):
            check_password("Ab1!" + "\u0301\u0316" * 60_000)
        assert max(lengths, default=0) <= MAX_SENT_PASSWORD_BYTES

    def test_passwords_are_normalised(self) -> None:
        """A new password is normalised to NFC, and its length counts in that form."""
        assert check_password("Ju\u0308rgen-1") == "J\u00fcrgen-1"
        assert check_password("Ab1!" + "e\u0301" * 510)
        with pytest.raises(Invalid, match="at least 8"):
            check_password("Abcde\u0301-1")
