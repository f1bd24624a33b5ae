"""Runs all checks of the older API's contract."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from verification.compat.endpoints import ENDPOINTS
from verification.compat.error_responses import REFUSALS
from verification.compat.http import PREFIX, AnotherAPI, CompatClient, NoServer
from verification.compat.intended_differences import PURPOSES
from verification.compat.result import Comparison, Differs, NotTried, OnPurpose, Verdict
from verification.compat.visitor import Visitor

Check = Callable[[Visitor], None]
CHECKS: Final[tuple[Check, ...]] = (*ENDPOINTS, *REFUSALS, *PURPOSES)
"""In the order in which they run: later checks use what earlier ones have created."""

_NOTHING_THERE: Final = (404, 405, 501)
_VERDICTS: Final = {Differs: Verdict.DIFFERS, OnPurpose: Verdict.ON_PURPOSE, NotTried: Verdict.NOT_TRIED}


@dataclass(slots=True)
class Compatibility:
    """All checks against one server, one request after the other."""

    url: str
    left: str = ""
    """What could not be removed at the end."""
    _visitor: Visitor = field(init=False)

    def __post_init__(self) -> None:
        self._visitor = Visitor(CompatClient(self.url))

    @property
    def requests(self) -> int:
        """The number of requests sent."""
        return self._visitor.client.sent

    def run(self) -> Iterator[Comparison]:
        """Run the checks; yields each finding when it is complete.

        Raises:
            NoServer: the server does not answer, from the start or later.
            AnotherAPI: the server does not have the older API.
        """
        _check_has_api(self._visitor.client)
        try:
            for check in CHECKS:
                yield _run(check, self._visitor)
        finally:
            self.left = self._visitor.clean_up()


def _check_has_api(client: CompatClient) -> None:
    """Check that the server has the API at all: otherwise every check would report the same difference."""
    path = "/users/about_me/"
    reply = client.send("GET", path)
    if reply.status in _NOTHING_THERE or "html" in reply.headers.get("content-type", ""):
        raise AnotherAPI(
            f"{client.url} does not have the older REST API: it answered GET {PREFIX}{path} with {reply.status}. "
            f"Use the URL of its clients, without {PREFIX}."
        )


def _run(check: Check, visitor: Visitor) -> Comparison:
    what = (check.__doc__ or "").partition("\n")[0].rstrip(".")
    try:
        check(visitor)
    except NoServer:
        raise
    except (Differs, OnPurpose, NotTried) as found:
        return Comparison(what, _VERDICTS[type(found)], str(found))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        # An unknown server may answer anything.
        return Comparison(
            what, Verdict.DIFFERS, f"the response has another structure ({type(error).__name__}: {error})"
        )
    return Comparison(what, Verdict.MATCHES, "")
