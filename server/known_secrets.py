"""Checks of secrets and passwords: those of examples and guides are refused in production."""

from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from streaming.redis_url import WrongRedisURL, read_redis_url

DEVELOPMENT_SECRET = "development-only-secret-do-not-deploy"  # noqa: S105 - refused in production
MIN_SECRET_BYTES = 32
WELL_KNOWN_PASSWORDS = frozenset(
    {
        "admin",
        "changeit",
        "changeme",
        "default",
        "example",
        "guest",
        "letmein",
        "mypassword",
        "pass",
        "passw0rd",
        "password",
        "password1",
        "placeholder",
        "postgres",
        "postgresql",
        "qwerty",
        "redis",
        "replaceme",
        "root",
        "s3cr3t",
        "secret",
        "taskriver",
        "test",
        "valkey",
        "123456",
        "12345678",
        "123456789",
    }
)
"""Passwords from examples and guides, in lower case, letters and digits only."""
PLACEHOLDERS = ("changeme", "replaceme", "placeholder", "yoursecret", "yourpassword", "examplesecret")


def has_known_password(url: SecretStr | None) -> bool:
    """Whether the password is well known or equals the user name. A URL without a password is accepted."""
    if url is None:
        return False
    try:
        parts = urlsplit(url.get_secret_value())
        return _is_known(unquote(parts.username or ""), unquote(parts.password or ""))
    except ValueError:
        return False  # the URL is validated elsewhere


def has_known_redis_password(url: SecretStr | None) -> bool:
    """Whether the password for Redis, or for its Sentinels, is well known or equals the user name."""
    if url is None:
        return False
    try:
        target = read_redis_url(url.get_secret_value())
    except WrongRedisURL:
        return False  # the URL is validated elsewhere
    accounts = ((target.username, target.password), (target.sentinel_username, target.sentinel_password))
    return any(_is_known(user or "", password or "") for user, password in accounts)


def _is_known(user: str, password: str) -> bool:
    plain = _plain(password)
    return bool(plain) and (plain in WELL_KNOWN_PASSWORDS or plain == _plain(user) or _is_placeholder(plain))


def _is_placeholder(plain: str) -> bool:
    return any(each in plain for each in PLACEHOLDERS)


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def secret_problems(ring: dict[str, bytes]) -> list[str]:
    """What is wrong with the secrets, which are named by key id."""
    problems = []
    if any(DEVELOPMENT_SECRET.encode() in secret for secret in ring.values()):
        problems.append("SECRET_KEYS is not set, or holds the development secret")
    elif any(_is_placeholder(_plain(secret.decode(errors="ignore"))) for secret in ring.values()):
        problems.append("SECRET_KEYS holds a placeholder of an example")
    if any(len(secret) < MIN_SECRET_BYTES or not kid for kid, secret in ring.items()):
        problems.append(f"every key in SECRET_KEYS must be id:secret with at least {MIN_SECRET_BYTES} bytes of secret")
    return problems
