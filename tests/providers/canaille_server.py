"""Runs Canaille with one user and one client; started with the Python of its own environment.

Arguments: the port, the redirect URI, the post-logout redirect URI, and the URI for back-channel logout, which it does
not support. It prints a line when it is ready.
"""

import sys

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from werkzeug.serving import make_server

PORT, REDIRECT_URI, LOGOUT_URI, _ = sys.argv[1:]
CONFIG = {
    "SECRET_KEY": "only for tests, and only on this machine",
    "SERVER_NAME": f"127.0.0.1:{PORT}",
    "PREFERRED_URL_SCHEME": "http",
    "TESTING": True,
    "CANAILLE": {"DATABASE": "memory", "JAVASCRIPT": False, "HTMX": False, "SMTP": None},
    "CANAILLE_OIDC": {"TRUSTED_DOMAINS": ["localhost"]},
}

app = create_app(CONFIG)
app.config["WTF_CSRF_ENABLED"] = False
with app.app_context(), Backend.instance.session():
    user = models.User(
        formatted_name="Ada Lovelace",
        display_name="ada",
        family_name="Lovelace",
        user_name="ada",
        emails=["ada@example.org"],
        password="Correct-horse1",
    )
    Backend.instance.save(user)
    group = models.Group(display_name="engineers", members=[user])
    Backend.instance.save(group)
    client = models.Client(
        client_id="taskriver",
        client_secret="secret-of-the-client",
        client_name="Taskriver",
        client_uri="http://localhost",
        redirect_uris=[REDIRECT_URI],
        post_logout_redirect_uris=[LOGOUT_URI],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "email", "profile", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)

server = make_server("127.0.0.1", int(PORT), app, threaded=False)
print("ready", flush=True)  # noqa: T201 - the test waits for it
server.serve_forever()
