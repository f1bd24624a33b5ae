"""Signs every case in anew, for some cases sign out."""

import json
import os
import urllib.parse
import urllib.request
from typing import Any

import schemathesis

URL = os.environ.get("TASKRIVER_URL", "http://127.0.0.1:8000")
NAME, PASSWORD = "contract", "Correct-horse1"


@schemathesis.auth(refresh_interval=None)
class SignIn:
    """A session for one case."""

    def get(self, case: Any, context: schemathesis.AuthContext) -> tuple[str, str]:
        """The access token, and the refresh token of the cookie."""
        form = urllib.parse.urlencode({"username": NAME, "password": PASSWORD}).encode()
        with urllib.request.urlopen(f"{URL}/api/v1/auth/login/", form) as response:  # noqa: S310
            cookie = response.headers["set-cookie"].split(";")[0].partition("=")[2]
            return json.load(response)["access_token"], cookie

    def set(self, case: Any, data: tuple[str, str], context: schemathesis.AuthContext) -> None:
        """Send both where they are documented."""
        case.headers["authorization"] = f"Bearer {data[0]}"
        case.cookies["refresh_token"] = data[1]
