"""Addresses, passwords, tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.accounts.domain import normal_email, session_ends
from gateway.accounts.passwords import Passwords, password_problem
from gateway.tokens import hash_token, new_api_key, new_token


class TestNormalEmail:
    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            (" Ada@Example.ORG ", "ada@example.org"),
            ("ada+bids@example.org", "ada+bids@example.org"),
            ("ada@bücher.example", "ada@bücher.example"),
            ("ada@team.test", "ada@team.test"),
        ],
    )
    def test_one_spelling_is_stored(self, typed: str, stored: str) -> None:
        assert normal_email(typed) == stored

    @pytest.mark.parametrize(
        "typed", ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@example..org", "a@\x00.org"]
    )
    def test_what_is_no_address_is_refused(self, typed: str) -> None:
        with pytest.raises(ValueError):
            normal_email(typed)


class TestPasswords:
    @pytest.mark.parametrize("password", ["1234567", "password", "Password1", "ada@example.org", "x" * 257])
    def test_bad_ones_have_a_reason(self, password: str) -> None:
        assert password_problem(password, email="ada@example.org")

    @pytest.mark.parametrize("password", ["correct horse", "пароль из слов", "12345678x"])
    def test_length_is_what_counts(self, password: str) -> None:
        assert password_problem(password, email="ada@example.org") is None

    async def test_only_the_right_one_fits_and_nothing_fits_nobody(self) -> None:
        passwords = Passwords()
        stored = await passwords.hash("correct horse")
        assert stored.startswith("$argon2id$")
        assert await passwords.verify(stored, "correct horse")
        assert not await passwords.verify(stored, "correct hors")
        assert not await passwords.verify(None, "nobody has this password")
        assert not await passwords.verify("no hash at all", "x")
        assert not await passwords.verify(stored, "x" * 100_000)


class TestSessionEnds:
    def test_whichever_end_comes_first(self) -> None:
        now, day = datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=1)
        assert session_ends(now + 30 * day, now, day) == now + day
        assert session_ends(now + day / 2, now, day) == now + day / 2


class TestTokens:
    def test_they_differ_and_only_hashes_are_kept(self) -> None:
        assert new_token() != new_token()
        assert len(new_token()) >= 43
        assert new_api_key().startswith("bw_")
        assert hash_token("a") != "a"
        assert hash_token("\ud800")  # whatever a client sends can be looked for
