"""The limits of accounts and of GraphQL documents, and the sign-in providers, from the settings."""

from collections.abc import Mapping
from typing import Any, Final

from graphql_api.auth.accounts import AccountLimits
from graphql_api.auth.email_links import MailLimits
from graphql_api.auth.provider_sign_ins import START, ProviderSignInConfig
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from graphql_api.auth.write_limits import WriteLimits
from graphql_api.execution.limits import Limits
from openid.config import ProviderConfig
from server.provider_settings import group_rules
from server.settings import Settings

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
PROVIDER_REQUESTS: Final = 600
"""In ten minutes: a sign-in through a provider needs two."""
PROVIDER_LOGOUTS: Final = 6_000
"""In ten minutes: a provider may sign many users out at once."""


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


def write_limits(settings: Settings, limiter: RateLimiter) -> WriteLimits | None:
    """The limits of writes per user and per token, or None if both are off."""
    per_user, per_token = settings.writes_per_user, settings.writes_per_token
    if not per_user and not per_token:
        return None
    return WriteLimits(
        limiter,
        per_user=RateLimit("writes-user", per_user, MINUTE) if per_user else None,
        per_token=RateLimit("writes-token", per_token, MINUTE) if per_token else None,
    )


def mail_limits(settings: Settings) -> MailLimits:
    """The rate limits of mails that clients request."""
    return MailLimits(
        requests_per_address=RateLimit("mail-requests-address", settings.mail_requests_per_address, HOUR),
        mails_per_recipient=RateLimit("mails-recipient", settings.mails_per_recipient, HOUR),
        mails_per_recipient_and_day=RateLimit("mails-recipient-day", settings.mails_per_recipient_and_day, DAY),
    )


def provider_configs(settings: Settings) -> list[ProviderConfig]:
    """The providers of the settings."""
    return [each.config(settings.public_url or "") for each in settings.oidc_providers]


def provider_sign_in_config(settings: Settings, *, default_path: str) -> ProviderSignInConfig:
    """What the settings say about signing in through providers, with its limits."""
    return ProviderSignInConfig(
        creates_users=settings.oidc_create_users,
        links_by_email=settings.oidc_link_by_email,
        groups_claim=settings.oidc_groups_claim,
        group_rules=group_rules(settings.oidc_groups),
        default_path=default_path,
        per_address=RateLimit("provider-sign-ins-address", PROVIDER_REQUESTS, 10 * MINUTE),
        per_account=account_limits(settings).sign_ins_per_account,
        logouts_per_address=RateLimit("provider-logouts-address", PROVIDER_LOGOUTS, 10 * MINUTE),
    )


def page_sign_in(settings: Settings) -> Mapping[str, Any] | None:
    """How users sign in, for pages with a form; None: with passwords only."""
    if not settings.oidc_providers:
        return None
    configs = provider_configs(settings)
    providers = [{"label": each.label, "startPath": START.format(each.name)} for each in configs]
    return {"passwords": settings.password_login, "providers": providers}


def document_limits(settings: Settings) -> Limits:
    """The limits of a GraphQL document."""
    return Limits(
        max_depth=settings.query_max_depth,
        max_tokens=settings.query_max_tokens,
        max_aliases=settings.query_max_aliases,
        max_fields=settings.query_max_fields,
        max_cost=settings.query_max_cost,
    )
