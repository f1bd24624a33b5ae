"""Why a sign-in through a provider fails. Each message is for the person in front of the browser."""

from enum import StrEnum


class Fault(StrEnum):
    """Who can do something about a failure."""

    USER = "user"
    """The person can try again, or sign in in another way."""
    PROVIDER = "provider"
    """The provider cannot be reached, or sends something that is not valid."""


class SignInFailed(Exception):
    """The sign-in through a provider failed.

    *detail* is for the log: what exactly was wrong. It has no token, code or secret.
    """

    fault = Fault.USER

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail or message


class ProviderUnavailable(SignInFailed):
    """The provider cannot be reached, is too slow, or has answered with an error."""

    fault = Fault.PROVIDER

    def __init__(self, detail: str) -> None:
        super().__init__(
            "The sign-in provider cannot be reached or does not work at the moment. Try again in a minute.",
            detail=detail,
        )


class InvalidResponse(SignInFailed):
    """The provider has sent something that is not valid, so that nothing of it is trusted."""

    fault = Fault.PROVIDER

    def __init__(self, detail: str) -> None:
        super().__init__(
            "The answer of the sign-in provider is not valid, so it was not accepted. Try again. If that does not "
            "help, give the request id to the operator of this server: the log has the reason.",
            detail=detail,
        )


class InvalidToken(InvalidResponse):
    """A token is not valid, or not for this server."""
