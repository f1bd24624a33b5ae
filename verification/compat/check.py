"""The whole contract, check by check."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from verification.compat.endpoints import ENDPOINTS
from verification.compat.error_responses import REFUSALS
from verification.compat.http import PREFIX, AnotherAPI, Client, NoServer
from verification.compat.intended_differences import PURPOSES
from verification.compat.result import Differs, Finding, NotTried, OnPurpose, Verdict
from verification.compat.visitor import Visit

Check = Callable[[Visit], None]
CHECKS: Final[tuple[Check, ...]] = (*ENDPOINTS, *REFUSALS, *PURPOSES)
"""In the order in which they are tried: later ones use what earlier ones have made."""

_NOTHING_THERE: Final = (404, 405, 501)
_VERDICTS: Final = {Differs: Verdict.DIFFERS, OnPurpose: Verdict.ON_PURPOSE, NotTried: Verdict.NOT_TRIED}


@dataclass(slots=True)
class Compatibility:
    """A visit to one server. Some three hundred requests, one after the other."""

    url: str
    left: str = ""
    """What could not be removed, once all is done."""
    _visit: Visit = field(init=False)

    def __post_init__(self) -> None:
        self._visit = Visit(Client(self.url))

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self._visit.client.sent

    def run(self) -> Iterator[Finding]:
        """What was found, as it is found.

        Raises:
            NoServer: nobody answers, from the start or any more.
            AnotherAPI: there is nothing of the older API.
        """
        _check_is_meant(self._visit.client)
        try:
            for check in CHECKS:
                yield _tried(check, self._visit)
        finally:
            self.left = self._visit.clean_up()


def _check_is_meant(client: Client) -> None:
    """Look before anything is tried: else each check would say the same."""
    path = "/users/about_me/"
    reply = client.send("GET", path)
    if reply.status in _NOTHING_THERE or "html" in reply.headers.get("content-type", ""):
        raise AnotherAPI(
            f"{client.url} does not have the older API: it answered GET {PREFIX}{path} with {reply.status}. "
            f"Give the address that its clients use, without {PREFIX}."
        )


def _tried(check: Check, visit: Visit) -> Finding:
    what = (check.__doc__ or "").partition("\n")[0].rstrip(".")
    try:
        check(visit)
    except NoServer:
        raise
    except (Differs, OnPurpose, NotTried) as found:
        return Finding(what, _VERDICTS[type(found)], str(found))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        # Somebody else's server may answer anything; what does not even have the shape is told as such.
        return Finding(what, Verdict.DIFFERS, f"the answer has another shape ({type(error).__name__}: {error})")
    return Finding(what, Verdict.MATCHES, "")
