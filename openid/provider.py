"""One provider: where to send the browser, and what the answer says about the user."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from openid.config import ProviderConfig
from openid.errors import InvalidResponse, InvalidToken, ProviderUnavailable, SignInFailed
from openid.flow import Flow
from openid.http import Answer, ProviderHTTP
from openid.id_token import LogoutToken, TokenVerifier
from openid.keys import LEAST_PAUSE_SECONDS, ProviderKeys
from openid.metadata import Metadata

DISCOVERY: Final = "/.well-known/openid-configuration"
MAX_AGE_SECONDS: Final = 3_600.0
RETRY_SECONDS: Final = 1.0
MAX_PARAMETER: Final = 4_096
"""Characters of a parameter of the callback."""

_ERRORS: Final = {
    "access_denied": "The sign-in was cancelled, or the provider does not permit you to use this application.",
    "temporarily_unavailable": "The sign-in provider is overloaded. Try again in a minute.",
    "login_required": "The sign-in provider wants you to sign in again. Try again.",
}
"""Messages for errors of the provider (RFC 6749, 4.1.2.1). Its own texts are not shown: others may write them."""
_OTHER_ERROR: Final = "The sign-in provider has refused the sign-in. Try again, or ask the operator of this server."

_log: Final = logging.getLogger("taskriver.sign_in")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says about a user. *values* are the claims of the ID token and, if it lacks one, of UserInfo."""

    issuer: str
    subject: str
    session: str | None
    values: Mapping[str, Any]


class Provider:
    """A provider as this process knows it. *clock* is in seconds, *wall* in Unix seconds."""

    def __init__(
        self,
        config: ProviderConfig,
        http: ProviderHTTP,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        pause: float = LEAST_PAUSE_SECONDS,
    ) -> None:
        self.config = config
        self._http = http
        self._clock = clock
        self._wall = wall
        self._tokens = TokenVerifier(ProviderKeys(http, clock=clock, pause=pause), config.client_id)
        self._metadata: Metadata | None = None
        self._next_at = 0.0
        self._lock = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """The metadata, read at most once an hour. If they cannot be read again, the earlier ones are used.

        Raises:
            ProviderUnavailable, InvalidResponse: they cannot be read.
        """
        async with self._lock:
            if self._clock() < self._next_at:
                if self._metadata is None:
                    raise ProviderUnavailable("the metadata of the provider could not be read a moment ago")
                return self._metadata
            issuer = self.config.issuer
            try:
                self._metadata = Metadata.of(await self._http.get(issuer.rstrip("/") + DISCOVERY), issuer)
            except SignInFailed as error:
                self._next_at = self._clock() + RETRY_SECONDS
                if self._metadata is None:
                    raise
                _log.warning("the metadata of the provider %s were not read again: %s", self.config.name, error.detail)
            else:
                self._next_at = self._clock() + MAX_AGE_SECONDS
            return self._metadata

    async def authorization_url(self, flow: Flow) -> str:
        """Where the browser goes.

        Raises:
            ProviderUnavailable, InvalidResponse: the metadata cannot be read.
        """
        metadata = await self.metadata()
        parameters = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": self.config.redirect_uri,
            "scope": " ".join(self.config.scopes),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        return _with_query(metadata.authorization_endpoint, parameters)

    async def finish(self, flow: Flow, parameters: Mapping[str, str], *, wanted: frozenset[str]) -> Claims:
        """What the provider says about the user, after the browser has come back with these parameters.

        The caller has compared `state`. *wanted* are claims for which UserInfo is asked if the ID token lacks one.

        Raises:
            SignInFailed: the user or the provider has refused, or an answer is not valid.
        """
        metadata = await self.metadata()
        # The response of another provider must not be answered with a code for this one (RFC 9207, 2.4).
        issuer = parameters.get("iss")
        if (issuer is None and metadata.sends_issuer) or (issuer is not None and issuer != metadata.issuer):
            raise InvalidResponse("iss of the response is missing, or is another provider")
        if "error" in parameters:
            error = parameters["error"][:100]
            raise SignInFailed(_ERRORS.get(error, _OTHER_ERROR), detail=f"the provider has answered with {error!r}")
        code = parameters.get("code")
        if not code or len(code) > MAX_PARAMETER:
            raise InvalidResponse("the response has no code")
        body = await self._exchange(metadata, flow, code)
        claims = await self._tokens.id_token(
            body.get("id_token"), metadata, nonce=flow.nonce, access_token=body.get("access_token"), now=self._wall()
        )
        values = await self._completed(metadata, claims, body.get("access_token"), wanted)
        return Claims(metadata.issuer, claims["sub"], claims.get("sid"), values)

    async def logged_out(self, token: str) -> LogoutToken:
        """Who is signed out by this logout token.

        Raises:
            SignInFailed: it is not valid, or the keys cannot be read.
        """
        return await self._tokens.logout_token(token, await self.metadata(), now=self._wall())

    async def logout_url(self) -> str | None:
        """Where the browser can sign out of the provider, too (RP-Initiated Logout 1.0, section 2); None: nowhere."""
        try:
            endpoint = (await self.metadata()).end_session_endpoint
        except SignInFailed as error:
            _log.warning("the provider %s was not asked for a sign-out: %s", self.config.name, error.detail)
            return None
        if endpoint is None:
            return None
        parameters = {"client_id": self.config.client_id, "post_logout_redirect_uri": self.config.logout_uri}
        return _with_query(endpoint, parameters)

    async def _exchange(self, metadata: Metadata, flow: Flow, code: str) -> Mapping[str, Any]:
        """The token response (RFC 6749, 4.1.3)."""
        config = self.config
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": config.redirect_uri,
            "code_verifier": flow.verifier,
        }
        credentials = None
        if metadata.secret_in_form:
            form |= {"client_id": config.client_id, "client_secret": config.client_secret}
        else:
            # Both are encoded as in a form before they are used in the header (RFC 6749, 2.3.1).
            credentials = (quote(config.client_id, safe=""), quote(config.client_secret, safe=""))
        return _tokens_of(await self._http.post(metadata.token_endpoint, form, credentials=credentials), config.name)

    async def _completed(
        self, metadata: Metadata, claims: Mapping[str, Any], access_token: object, wanted: frozenset[str]
    ) -> Mapping[str, Any]:
        """The claims, with those of UserInfo for what the ID token lacks (OpenID Connect Core 1.0, 5.3)."""
        if metadata.userinfo_endpoint is None or wanted <= claims.keys() or not isinstance(access_token, str):
            return claims
        info = await self._http.get(metadata.userinfo_endpoint, bearer=access_token)
        if info.get("sub") != claims["sub"]:
            raise InvalidToken("UserInfo is about another subject than the ID token")
        return {**info, **claims}


def _tokens_of(answer: Answer, name: str) -> Mapping[str, Any]:
    body = answer.body
    if answer.status != 200 or body is None:
        error = body.get("error") if body is not None else None
        shown = error[:100] if isinstance(error, str) else f"status {answer.status}"
        if error == "invalid_client":
            raise InvalidResponse(f"the provider {name} refuses the client id or the client secret of this server")
        if error == "invalid_grant":
            raise SignInFailed(
                "The sign-in has expired or was used already. Start it again.",
                detail="the provider has refused the code",
            )
        raise InvalidResponse(f"the provider {name} has refused the code: {shown!r}")
    return body


def _with_query(url: str, parameters: Mapping[str, str]) -> str:
    separator = "&" if urlsplit(url).query else "?"
    return f"{url.rstrip('?&')}{separator}{urlencode(parameters, quote_via=quote)}"
