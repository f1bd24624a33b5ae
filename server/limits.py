"""The limits of accounts and of GraphQL documents, from the settings."""

from typing import Final

from graphql_api.auth.accounts import AccountLimits
from graphql_api.auth.rate_limits import RateLimit
from graphql_api.execution.limits import Limits
from server.settings import Settings

MINUTE: Final = 60
DAY: Final = 24 * 60 * MINUTE


def account_limits(settings: Settings) -> AccountLimits:
    """The rate limits of sign-in, registration, password changes and token refreshes."""
    return AccountLimits(
        failures_per_account=RateLimit("login-account", settings.login_failures_per_account, 10 * MINUTE),
        failures_per_address=RateLimit("login-address", settings.login_failures_per_address, 10 * MINUTE),
        sign_ins_per_account=RateLimit("sign-ins-account", settings.sign_ins_per_account, 10 * MINUTE),
        password_changes_per_account=RateLimit(
            "password-changes-account", settings.password_changes_per_account, 10 * MINUTE
        ),
        hashes_per_address=RateLimit("hashes-address", settings.password_hashes_per_address, 10 * MINUTE),
        registrations=RateLimit("register-address", settings.registrations_per_address, MINUTE),
        refreshes=RateLimit("refresh-session", settings.refreshes_per_session, MINUTE),
        refreshes_in_a_day=RateLimit("refresh-session-day", settings.refreshes_per_session_and_day, DAY),
    )


def document_limits(settings: Settings) -> Limits:
    """The limits of a GraphQL document."""
    return Limits(
        max_depth=settings.query_max_depth,
        max_tokens=settings.query_max_tokens,
        max_aliases=settings.query_max_aliases,
        max_fields=settings.query_max_fields,
        max_cost=settings.query_max_cost,
    )
