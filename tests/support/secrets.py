"""What no log may ever hold, whichever test it was written in."""

import re
from typing import Final

_PASSWORDS: Final = ("Correct-horse1", "Wrong-horse1", "Taskriver-1")
_SECRETS: Final = re.compile(
    r"eyJ[\w-]{8,}\.[\w.-]*"  # a JSON Web Token
    r"|trv_pat_\w{8,}"  # a personal access token
    r"|refresh_token=[\w.-]+"  # a cookie
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"  # an e-mail address, or the password of a URL
    rf"|{'|'.join(map(re.escape, _PASSWORDS))}"
)


def leaked_secrets(log: str) -> list[str]:
    """The tokens, cookies, addresses and passwords of tests that a log holds, each with the line around it."""
    return [f"{found[0]} in {line}" for line in log.splitlines() if (found := _SECRETS.search(line))]
