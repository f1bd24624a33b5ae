"""Personal access tokens through the API."""

from domain.access_token import MAX_TOKENS, Scope, is_intact
from tests.support.api import Api

CREATE = """mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
  secret accessToken { id name scopes } userErrors { code path message } } }"""
REVOKE = """mutation ($input: RevokeAccessTokenInput!) { revokeAccessToken(input: $input) {
  revokedAccessTokenId userErrors { code path } } }"""
LIST = "{ accessTokens { id name scopes } }"
CREATE_TASK = """mutation { createTask(input: { title: "By a program" }) {
  task { owner { username } } userErrors { code } } }"""
WANTED = {"name": "CI", "scopes": ["TASKS_WRITE"]}


async def test_a_token_from_its_creation_to_its_end(api: Api):
    """Its text works until it is revoked, and is in no later response."""
    user = await api.a_user()
    answer = await api.ask(CREATE, user, input=WANTED)
    created = answer.payload("createAccessToken")
    assert is_intact(created["secret"])
    assert created["accessToken"] == (await api.ask(LIST, user)).data["accessTokens"][0]
    made = (await api.ask(CREATE_TASK, created["secret"])).payload("createTask")
    assert made["task"]["owner"]["username"] == user.username

    token_id = created["accessToken"]["id"]
    revoked = (await api.ask(REVOKE, user, input={"accessTokenId": token_id})).payload("revokeAccessToken")
    assert revoked["revokedAccessTokenId"] == token_id
    assert (await api.ask(LIST, user)).data["accessTokens"] == []


async def test_a_response_with_a_secret_is_not_compressed_and_not_stored(api: Api):
    """A repeated request with the same idempotency key creates another token: the first text is nowhere."""
    user = await api.a_user()
    headers = {"idempotency-key": "once", "accept-encoding": "gzip"}
    answers = [await api.ask(CREATE, user, headers=headers, input=WANTED) for _ in range(2)]
    secrets = {answer.payload("createAccessToken")["secret"] for answer in answers}
    assert len(secrets) == 2
    assert all("content-encoding" not in answer.http.headers for answer in answers)
    stored = str(await api.build.snapshot())
    assert not any(secret in stored for secret in secrets)


async def test_refusals_are_data(api: Api):
    """They name the field."""
    user = await api.a_user()
    for wanted, path in (
        (WANTED | {"name": " "}, ["name"]),
        (WANTED | {"scopes": []}, ["scopes"]),
        (WANTED | {"scopes": ["ADMIN"]}, ["scopes"]),
        (WANTED | {"expiresAt": "2020-01-01T00:00:00Z"}, ["expiresAt"]),
        (WANTED | {"expiresAt": "2099-01-01T00:00:00Z"}, ["expiresAt"]),
    ):
        refusal = (await api.ask(CREATE, user, input=wanted)).refusal("createAccessToken")
        assert (refusal["code"], refusal["path"]) == ("INVALID", path)
    for _ in range(MAX_TOKENS):
        await api.build.an_access_token(user)
    assert "revoke one" in (await api.ask(CREATE, user, input=WANTED)).refusal("createAccessToken")["message"]


async def test_a_token_creates_lists_and_revokes_none(api: Api):
    """Whatever its scopes, and also its own."""
    user = await api.a_user()
    row, text = await api.build.an_access_token(user, *Scope)
    for query, variables in (
        (CREATE, {"input": WANTED}),
        (LIST, {}),
        (REVOKE, {"input": {"accessTokenId": "x"}}),
    ):
        answer = await api.ask(query, text, **variables)
        assert answer.codes == ["FORBIDDEN"]
        assert "cannot do this: sign in." in answer.body["errors"][0]["message"]
    assert [each["name"] for each in (await api.ask(LIST, user)).data["accessTokens"]] == [row.name]
