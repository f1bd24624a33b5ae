"""The settings of sign-in providers: five variables for each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from domain.identity import GroupRules
from graphql_api.auth.provider_sign_ins import CALLBACK
from openid.config import LOOPBACK, ProviderConfig, is_provider_name, issuer_problem, split

NAMES: Final = "oidc_providers"
REQUIRED: Final = ("issuer", "client_id", "client_secret")
OPTIONAL: Final = ("label", "scopes")
_OPENID: Final = "openid"


class ProviderSettings(BaseModel):
    """One provider. The variables begin with `OIDC_` and its name in upper case."""

    model_config = ConfigDict(frozen=True)

    name: str
    issuer: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    label: str = ""
    scopes: str = "openid email profile"

    def __str__(self) -> str:
        return self.name

    def problems(self, *, is_production: bool) -> list[str]:
        """What is wrong, by the names of the variables; no value is in it."""
        if not is_provider_name(self.name):
            return [f"OIDC_PROVIDERS: {self.name[:20]!r} is not a name of 1 to 20 lower-case letters and digits"]
        prefix = f"OIDC_{self.name.upper()}"
        values = {"issuer": self.issuer, "client_id": self.client_id}
        values["client_secret"] = self.client_secret.get_secret_value()
        found = [f"{prefix}_{name.upper()} is not set" for name in REQUIRED if not values[name]]
        problem = issuer_problem(self.issuer) if self.issuer else None
        if problem is not None:
            found.append(f"{prefix}_ISSUER {problem}")
        elif self.issuer and not self._is_safe(is_production):
            found.append(f"{prefix}_ISSUER must have https in production")
        if _OPENID not in self.scopes.split():
            found.append(f"{prefix}_SCOPES must have openid")
        return found

    def config(self, public_url: str) -> ProviderConfig:
        """What the client of the provider needs. *public_url* is where browsers reach this server."""
        return ProviderConfig(
            name=self.name,
            label=self.label or self.name.capitalize(),
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=self.client_secret.get_secret_value(),
            scopes=tuple(self.scopes.split()),
            redirect_uri=public_url + CALLBACK.format(self.name),
            logout_uri=public_url + "/",
        )

    def _is_safe(self, is_production: bool) -> bool:
        parts = split(self.issuer)
        return parts is not None and (parts.scheme == "https" or not is_production or parts.hostname in LOOPBACK)


class ProviderSource(PydanticBaseSettingsSource):
    """Reads the five variables of each provider that `OIDC_PROVIDERS` names."""

    def __init__(self, settings_class: type[BaseSettings], *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_class)
        # The first source takes precedence.
        self._variables: dict[str, str | None] = {}
        for source in reversed([each for each in sources if isinstance(each, EnvSettingsSource)]):
            self._variables |= {name: value for name, value in source.env_vars.items() if value}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: `__call__` returns all values."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The providers, in the order of their names."""
        names = [name.strip() for name in (self._variables.get(NAMES) or "").split(",") if name.strip()]
        return {NAMES: [self._provider(name) for name in names]} if names else {}

    def _provider(self, name: str) -> dict[str, str]:
        prefix = f"oidc_{name.lower()}_"
        given = {each: self._variables.get(prefix + each) for each in (*REQUIRED, *OPTIONAL)}
        return {"name": name} | {each: value for each, value in given.items() if value is not None}


def group_rules(given: Mapping[str, Mapping[str, object]]) -> dict[str, GroupRules]:
    """The rules for groups, by provider.

    Raises:
        ValueError: a rule is wrong.
    """
    return {name: GroupRules.read(rules) for name, rules in given.items()}


def public_origin(text: str) -> str:
    """An origin without a slash at the end.

    Raises:
        ValueError: it is none.
    """
    parts = split(text.strip().rstrip("/"))
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
        raise ValueError("must look like https://tasks.example.org")
    if parts.path or parts.query or parts.fragment:
        raise ValueError("must have no path: Taskriver is at the root of its host name")
    return f"{parts.scheme}://{parts.netloc}"


def sign_in_problems(
    providers: Sequence[ProviderSettings],
    groups: Mapping[str, Mapping[str, object]],
    *,
    has_address: bool,
    is_production: bool,
) -> list[str]:
    """What is wrong with the settings of providers, by the names of the variables."""
    found = [problem for each in providers for problem in each.problems(is_production=is_production)]
    names = [each.name for each in providers]
    if len(set(names)) < len(names) or len({each.issuer for each in providers}) < len(names):
        found.append("OIDC_PROVIDERS: two providers have the same name or the same issuer")
    if providers and not has_address:
        found.append("PUBLIC_URL is not set; sign-in providers send browsers back to it")
    found += [f"OIDC_GROUPS names {name[:20]!r}, which OIDC_PROVIDERS does not" for name in groups if name not in names]
    try:
        group_rules(groups)
    except ValueError as error:
        found.append(f"OIDC_GROUPS: {error}")
    return found
