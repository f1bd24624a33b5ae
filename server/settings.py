"""All settings: read once from the environment, then immutable."""

from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from domain.project import ProjectCreation
from domain.registration import Registration
from domain.trusted_document import TrustMode
from domain.user import UserDirectory
from domain.user_deletion import Retention
from persistence.pooler import Pooler
from server.known_secrets import DEVELOPMENT_SECRET, has_known_password, has_known_redis_password, secret_problems
from server.mail_settings import mail_problems
from server.provider_settings import ProviderSettings, ProviderSource, public_origin, sign_in_problems

NEVER = "off"
VITE_PORTS = (5173, 5174, 4173)
"""Ports of Vite's development server, of a second one, and of its preview."""
VITE_ORIGINS = tuple(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in VITE_PORTS)

Network = IPv4Network | IPv6Network
CommaSeparated = NoDecode


class Environment(StrEnum):
    """The kind of deployment."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SMTPSecurity(StrEnum):
    """How the connection to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Settings(BaseSettings):
    """Every setting. `docs/settings.md` has the same groups, in the same order."""

    model_config = SettingsConfigDict(frozen=True, env_file=".env", extra="ignore", env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Providers have variables whose names depend on the providers' names."""
        providers = ProviderSource(settings_cls, env_settings, dotenv_settings)
        return init_settings, providers, env_settings, dotenv_settings, file_secret_settings

    # Required in production
    environment: Environment = Field(
        Environment.DEVELOPMENT,
        description="`development` or `production`. In production, unsafe settings are refused.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="`postgresql+asyncpg://user:password@host/database`. PostgreSQL 15 or newer. Several hosts are "
        "separated by commas (`host1:5432,host2:5432`); the primary among them is used.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="`redis://user:password@host:6379/0`, `rediss://…` with TLS, or "
        "`redis+sentinel://user:password@host:26379,host:26379/service`. Redis 7 or newer, or Valkey 8 or newer.",
    )
    secret_keys: Annotated[tuple[SecretStr, ...], CommaSeparated] = Field(
        (SecretStr(f"dev:{DEVELOPMENT_SECRET}"),),
        description="Keys that sign access tokens: `id:secret`, separated by commas, with at least 32 bytes of secret. "
        "The first key signs, all keys verify.",
    )

    # Address and processes
    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port that the server listens on.")
    workers: int = Field(1, ge=1, le=64, description="Number of server processes of `taskriver serve`.")
    shutdown_seconds: int = Field(
        15, ge=1, le=300, description="Time that running requests have to finish after SIGTERM."
    )

    # Proxies and browsers
    trusted_proxies: Annotated[tuple[Network, ...], CommaSeparated] = Field(
        (), description="Networks (CIDR) of proxies whose `X-Forwarded-For` is used, separated by commas."
    )
    allowed_origins: Annotated[tuple[str, ...], CommaSeparated] = Field(
        (),
        description="Origins of other sites whose pages may call the API, separated by commas (CORS and WebSockets). "
        "The server's own origin is always allowed. In development, Vite's origins are allowed too.",
    )
    cookie_secure: bool = Field(
        True, description="`Secure` attribute of the refresh cookie. Switch it off only for plain HTTP on localhost."
    )

    # Database and retention
    database_pooler: Pooler = Field(
        Pooler.NONE,
        description="What `DATABASE_URL` leads to: `none` (PostgreSQL), `prepared` (a pooler with prepared statements, "
        "such as PgBouncer 1.21 or newer), or `unprepared` (any other pooler).",
    )
    database_direct_url: SecretStr | None = Field(
        None,
        description="Like `DATABASE_URL`, but not through a pooler. `migrate`, `seed`, `import` and `export` use it. "
        "If it is not set: `DATABASE_URL`.",
    )
    database_pool_size: int = Field(
        15,
        ge=2,
        le=200,
        description="Database connections per process for requests. The event log uses 4 more.",
    )
    migration_patience_seconds: int = Field(
        300,
        ge=1,
        le=86_400,
        description="How long `taskriver migrate` waits for locks that other transactions hold on the tables.",
    )
    event_retention_days: int = Field(30, ge=1, description="How long events are kept and can be replayed.")
    trash_days: int = Field(
        30, ge=0, le=3_650, description="How long deleted tasks can be restored. 0 deletes them at once and for good."
    )
    audit_days: int = Field(400, ge=1, le=36_500, description="How long entries of the audit log are kept.")
    cleanup_schedule: str = Field(
        "0 3 * * *",
        description="When old sessions, keys, events, deleted tasks and audit entries are removed: a cron expression, "
        "in UTC. `off` disables it.",
    )

    # Log, metrics and traces
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="`debug`, `info`, `warning` or `error`. `info` logs each request, `debug` also each delivery.",
    )
    metrics_host: str = Field(
        "127.0.0.1", description="Address of the metrics endpoint for Prometheus. Do not use a public address."
    )
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of the metrics endpoint (`/metrics`). 0 disables the endpoint."
    )
    metrics_folder: Path | None = Field(
        None, description="Folder where the processes of one server collect their metrics. The server sets it itself."
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        pattern="^https?://",
        description="Where traces are sent, for example `http://collector:4318`. Needs the extra `otel`. The other "
        "`OTEL_…` variables are read too.",
    )

    # Tokens and passwords
    access_token_minutes: int = Field(
        15, ge=1, le=60, description="Lifetime of an access token, minus a random part of up to a tenth."
    )
    max_token_days: int = Field(366, ge=1, le=3_650, description="How long a new personal access token lasts at most.")
    token_issuer: str = Field("taskriver", min_length=1, description="`iss` of the access tokens.")
    token_audience: str = Field("taskriver-api", min_length=1, description="`aud` of the access tokens.")
    bcrypt_rounds: int = Field(12, ge=4, le=16, description="Cost of a password hash. Below 12 only for tests.")

    # Registration
    registration: Registration = Field(
        Registration.OPEN,
        description="Who may register: `open` (everyone), `invite` (only invited users), or `closed` (nobody). The "
        "operator creates users in every mode.",
    )
    invitation_days: int = Field(7, ge=1, le=90, description="How long an invitation is valid.")

    # E-mail
    smtp_host: str | None = Field(
        None, description="The mail server that sends e-mail. If it is not set, the server sends none."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_security: SMTPSecurity = Field(
        SMTPSecurity.STARTTLS,
        description="How the connection is encrypted: `starttls` (usually port 587), `tls` (from the "
        "beginning, usually port 465), or `none` (for a mail server on this machine). The certificate is verified.",
    )
    smtp_username: str | None = Field(None, description="The user of the mail server, if it needs one.")
    smtp_password: SecretStr | None = Field(None, description="The password of this user.")
    smtp_password_file: Path | None = Field(
        None, description="A file with the password, instead of `SMTP_PASSWORD`. It is read at the start."
    )
    mail_from: str | None = Field(
        None,
        description="The sender of e-mail, for example `Taskriver <noreply@example.org>`. Required with `SMTP_HOST`.",
    )
    mail_to_terminal: bool = Field(
        False,
        description="Whether e-mail is printed instead of sent. `taskriver dev` sets it if `SMTP_HOST` is not set. "
        "Refused in production.",
    )
    mail_days: int = Field(
        7, ge=1, le=365, description="How long an e-mail is listed in the database after it was sent or given up."
    )

    # Sign-in providers
    public_url: str | None = Field(
        None,
        description="Where browsers reach this server, for example `https://tasks.example.org`. Links in e-mail begin "
        "with it. Required with sign-in providers and with `SMTP_HOST`.",
    )
    password_login: bool = Field(
        True,
        description="Whether users may sign in with a password, register and change passwords. Off needs a sign-in "
        "provider.",
    )
    oidc_providers: Annotated[tuple[ProviderSettings, ...], CommaSeparated] = Field(
        (),
        description="Names of OpenID Connect providers, separated by commas. Each has five variables of its own, see "
        "[single sign-on](single-sign-on.md).",
    )
    oidc_create_users: bool = Field(True, description="Whether the first sign-in through a provider creates the user.")
    oidc_link_by_email: bool = Field(
        False,
        description="Whether the first sign-in through a provider is linked to the user who has the same e-mail "
        "address, if the provider and this server both have verified it.",
    )
    oidc_groups_claim: str = Field(
        "groups", min_length=1, description="The claim with the groups of a user at a provider."
    )
    oidc_groups: dict[str, dict[str, str | list[str]]] = Field(
        {},
        description="What groups give, as JSON: by provider and group a role, or roles in projects. Example: "
        '`{"keycloak": {"admins": "ADMIN", "web": ["WEB:MEMBER"]}}`.',
    )

    # Rate limits
    login_failures_per_account: int = Field(
        5, ge=1, description="Failed sign-ins per account and address in 10 minutes."
    )
    login_failures_per_address: int = Field(100, ge=1, description="Failed sign-ins per address in 10 minutes.")
    sign_ins_per_account: int = Field(
        120, ge=1, description="Sign-ins per account and address in 10 minutes, successful ones included."
    )
    password_changes_per_account: int = Field(
        20, ge=1, description="Password changes per account in 10 minutes, successful ones included."
    )
    password_hashes_per_address: int = Field(
        3_000,
        ge=1,
        description="Password hashes per address in 10 minutes. A sign-in or a registration needs one, a password "
        "change two.",
    )
    registrations_per_address: int = Field(60, ge=1, description="Registrations per address and minute.")
    mail_requests_per_address: int = Field(
        30,
        ge=1,
        description="Requests for a new password or for the verification of an address, per address of the client and "
        "hour.",
    )
    mails_per_recipient: int = Field(5, ge=1, description="E-mail that clients can cause to one address per hour.")
    mails_per_recipient_and_day: int = Field(
        20, ge=1, description="E-mail that clients can cause to one address per day."
    )
    refreshes_per_session: int = Field(30, ge=1, description="Token refreshes per session and minute.")
    refreshes_per_session_and_day: int = Field(
        5_000, ge=1, description="Token refreshes per session and day. The server stores each used token."
    )
    writes_per_user: int = Field(
        60_000,
        ge=0,
        description="Changes per user and minute, through all of the user's devices and tokens. 0 is no limit.",
    )
    writes_per_token: int = Field(
        30_000, ge=0, description="Changes per personal access token and minute. 0 is no limit."
    )

    # Limits on keys and connections
    idempotency_keys_per_account: int = Field(
        100_000, ge=1, description="Idempotency keys that an account can use in 24 hours."
    )
    sockets_per_user: int = Field(50, ge=1, description="Open WebSockets and event streams per user and process.")
    sockets_per_address: int = Field(
        200,
        ge=1,
        description="Open WebSockets and event streams per address (IPv6: per /64 network) and process, with or "
        "without sign-in.",
    )

    # Projects
    project_creation: ProjectCreation = Field(
        ProjectCreation.EVERYONE, description="Who may create projects: `everyone`, `moderators` or `admins`."
    )
    user_directory: UserDirectory = Field(
        UserDirectory.EVERYONE,
        description="Whom users find in `assignableUsers`: `everyone`, or `projects` (those who share a project with "
        "them). Moderators and admins find everyone.",
    )

    # GraphQL operations
    query_max_depth: int = Field(12, ge=1, description="Maximum nesting depth of a document.")
    query_max_tokens: int = Field(2_000, ge=1, description="Maximum length of a document, in lexical tokens.")
    query_max_aliases: int = Field(30, ge=0, description="Maximum number of aliases in a document.")
    query_max_fields: int = Field(1_000, ge=1, description="Maximum number of fields in a document, in all selections.")
    query_max_cost: int = Field(
        5_000,
        ge=1,
        description="Maximum number of fields that a document can resolve. Lists count with their `first`.",
    )
    compile_operations: bool = Field(
        True,
        description="Whether repeated operations are compiled. If off, the general executor runs everything: slower, "
        "with the same results.",
    )
    trusted_documents: TrustMode = Field(
        TrustMode.OFF,
        description="Whether clients may send only documents that `taskriver documents add` has added: `off` (no "
        "documents are known), `prefer` (others are executed and counted), or `require` (others are refused).",
    )
    introspection: bool = Field(True, description="Whether introspection and `/schema.graphql` are available.")

    # Pages
    api_docs: bool = Field(
        True, description="Whether `/docs` and `/openapi.json` describe the REST API. They contain no secrets."
    )
    playground: bool | None = Field(
        None,
        description="Whether browsers get GraphiQL at `/graphql`. If it is not set: in development only. Otherwise, "
        "and with `TRUSTED_DOCUMENTS=require`, they get a plain page.",
    )
    board: bool | None = Field(
        None, description="Whether the live task board is served at `/board`. If it is not set: in development only."
    )

    link_pages: bool = Field(
        True,
        description="Whether the pages of links in e-mail are served: `/join`, `/reset-password` and `/verify-email`. "
        "If off, your front end serves these paths.",
    )
    account_pages: bool = Field(
        True,
        description="Whether `/account` and `/admin` are served: the pages on which users manage their account, and "
        "admins manage users. `taskriver login` needs them to sign in through a browser.",
    )

    @field_validator("secret_keys", "allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        return (
            tuple(ip_network(part) if isinstance(part, str) else part for part in value)
            if isinstance(value, tuple)
            else value
        )

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        return public_origin(value) if value is not None else None

    @model_validator(mode="after")
    def _mail_is_complete(self) -> Self:
        problems = mail_problems(
            has_server=self.smtp_host is not None,
            sender=self.mail_from,
            has_public_url=self.public_url is not None,
            has_two_passwords=self.smtp_password is not None and self.smtp_password_file is not None,
            password_file=self.smtp_password_file,
        )
        if problems:
            raise ValueError("e-mail cannot be sent: " + "; ".join(problems))
        return self

    @model_validator(mode="after")
    def _sign_in_is_possible(self) -> Self:
        problems = sign_in_problems(
            self.oidc_providers,
            self.oidc_groups,
            has_address=self.public_url is not None,
            is_production=self.is_production,
        )
        if not self.password_login and not self.oidc_providers:
            problems.append("PASSWORD_LOGIN is off and OIDC_PROVIDERS names no provider, so no user could sign in")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.environment is Environment.PRODUCTION:
            problems = [*secret_problems(self.key_ring), *self._production_problems()]
            if problems:
                raise ValueError("not fit for production: " + "; ".join(problems))
        return self

    def _production_problems(self) -> list[str]:
        found = {
            "DATABASE_URL is not set": self.database_url is None,
            "COOKIE_SECURE must stay on": not self.cookie_secure,
            "the password in DATABASE_URL is a well-known one": has_known_password(self.database_url),
            "the password in DATABASE_DIRECT_URL is a well-known one": has_known_password(self.database_direct_url),
            "the password in REDIS_URL is a well-known one": has_known_redis_password(self.redis_url),
            "BCRYPT_ROUNDS must be at least 12": self.bcrypt_rounds < 12,
            "ALLOWED_ORIGINS must not hold '*'": "*" in self.allowed_origins,
            "MAIL_TO_TERMINAL must stay off": self.mail_to_terminal,
            "SMTP_SECURITY must not be none with a password": self.smtp_security is SMTPSecurity.NONE
            and self.smtp_secret is not None,
        }
        return [problem for problem, present in found.items() if present]

    @cached_property
    def key_ring(self) -> dict[str, bytes]:
        """Secrets by key id. The first key signs."""
        pairs = (key.get_secret_value().partition(":") for key in self.secret_keys)
        return {kid: secret.encode() for kid, _, secret in pairs}

    @cached_property
    def smtp_secret(self) -> SecretStr | None:
        """The password for the mail server."""
        if self.smtp_password_file is not None:
            return SecretStr(self.smtp_password_file.read_text().strip())
        return self.smtp_password

    @property
    def sends_mail(self) -> bool:
        """Whether e-mail is sent, or printed."""
        return self.smtp_host is not None or self.mail_to_terminal

    @property
    def invitation_lifetime(self) -> timedelta:
        """How long an invitation is valid."""
        return timedelta(days=self.invitation_days)

    @property
    def mail_retention(self) -> timedelta:
        """How long an e-mail is listed after its end."""
        return timedelta(days=self.mail_days)

    @property
    def max_token_lifetime(self) -> timedelta:
        """How long a new personal access token lasts at most."""
        return timedelta(days=self.max_token_days)

    @property
    def access_token_lifetime(self) -> timedelta:
        """Maximum lifetime of an access token."""
        return timedelta(minutes=self.access_token_minutes)

    @property
    def cleanup_cron(self) -> str | None:
        """The clean-up schedule as a cron expression; None if it is disabled."""
        return self.cleanup_schedule if self.cleanup_schedule != NEVER else None

    @property
    def trash_retention(self) -> timedelta:
        """`trash_days` as a duration."""
        return timedelta(days=self.trash_days)

    @property
    def audit_retention(self) -> timedelta:
        """`audit_days` as a duration."""
        return timedelta(days=self.audit_days)

    @property
    def retention(self) -> Retention:
        """How long data are kept in which a deleted user occurs."""
        return Retention(self.event_retention, self.trash_retention, self.audit_retention)

    @property
    def event_retention(self) -> timedelta:
        """How long events are kept."""
        return timedelta(days=self.event_retention_days)

    @property
    def is_production(self) -> bool:
        """Whether this is a production server."""
        return self.environment is Environment.PRODUCTION

    @property
    def has_playground(self) -> bool:
        """Whether GraphiQL is served. It sends documents that are not trusted."""
        if self.only_trusted_documents:
            return False
        return not self.is_production if self.playground is None else self.playground

    @property
    def only_trusted_documents(self) -> bool:
        """Whether no other documents are executed."""
        return self.trusted_documents is TrustMode.REQUIRE

    @property
    def has_board(self) -> bool:
        """Whether the live board is served."""
        return not self.is_production if self.board is None else self.board

    @property
    def cross_origins(self) -> tuple[str, ...]:
        """Origins of other sites whose pages may call the API."""
        return self.allowed_origins if self.is_production else (*self.allowed_origins, *VITE_ORIGINS)
