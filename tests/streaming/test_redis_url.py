"""Which URLs of Redis are accepted, and what messages say about others."""

import re

import pytest

from streaming.redis_url import RedisTarget, TLSOptions, WrongRedisURL, read_redis_url

ONE = (("h", 6379),)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("redis://h", RedisTarget(ONE)),
        ("REDIS://h:7000/2", RedisTarget((("h", 7000),), database=2)),
        ("redis://h/?db=3", RedisTarget(ONE, database=3)),
        ("redis://:p%40%2F@h", RedisTarget(ONE, password="p@/")),
        ("redis://u@h", RedisTarget(ONE, username="u")),
        ("redis://u:p@x@h", RedisTarget(ONE, username="u", password="p@x")),
        ("redis://[::1]:7000", RedisTarget((("::1", 7000),))),
        ("redis://[::1]", RedisTarget((("::1", 6379),))),
        ("redis://h?client_name=a%20b&socket_keepalive=no", RedisTarget(
            ONE, options={"client_name": "a b", "socket_keepalive": False})),
        ("unix:///run/valkey.sock?db=1", RedisTarget(socket_path="/run/valkey.sock", database=1)),
        ("rediss://h", RedisTarget(ONE, tls=TLSOptions())),
        ("rediss://h?ssl_cert_reqs=CERT_NONE&ssl_check_hostname=false", RedisTarget(
            ONE, tls=TLSOptions(ssl_cert_reqs="none", ssl_check_hostname=False))),
        ("rediss://h?ssl_ca_certs=/a.pem&ssl_certfile=/b.pem&ssl_keyfile=/c.key", RedisTarget(
            ONE, tls=TLSOptions("/a.pem", "/b.pem", "/c.key"))),
        ("redis+sentinel://u:p@a,b:7000,[::1]/tasks/4?sentinel_username=s&sentinel_password=q", RedisTarget(
            (("a", 26379), ("b", 7000), ("::1", 26379)), service="tasks", database=4, username="u", password="p",
            sentinel_username="s", sentinel_password="q")),
        ("rediss+sentinel://a/tasks", RedisTarget((("a", 26379),), service="tasks", tls=TLSOptions())),
    ],
)  # fmt: skip
def test_parts_are_read(url: str, target: RedisTarget):
    """Of one server, a socket, or Sentinels."""
    assert read_redis_url(url) == target


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "It must look like redis://user:password@host:6379/0"),
        ("http://h", "It must look like redis://"),
        ("redis://", "A host is missing"),
        ("redis://:hunter2@", "A host is missing"),
        ("redis://a,b", "Several hosts need Sentinels"),
        ("redis://h:hunter2", "A port must be a number from 1 to 65535"),
        ("redis://h:0", "A port must be a number from 1 to 65535"),
        ("redis://h:99999", "A port must be a number from 1 to 65535"),
        ("redis://:hunter/2@h", "Percent-encode special characters"),
        ("redis://:hunter#2@h", "Percent-encode special characters"),
        ("redis://h/hunter2", "The database must be a number, such as 0"),
        ("redis://h?hunter2=1", "Unknown parameters: hunter2"),
        ("redis://h?ssl_ca_certs=/a.pem", "need TLS: use rediss://"),
        ("rediss://h?ssl_keyfile=/a.key", "ssl_keyfile needs ssl_certfile"),
        ("rediss://h?ssl_cert_reqs=hunter2", "ssl_cert_reqs must be required, optional or none"),
        ("rediss://h?ssl_check_hostname=hunter2", "ssl_check_hostname must be true or false"),
        ("redis://h?health_check_interval=hunter2", "health_check_interval must be a number of seconds"),
        ("redis+sentinel://a", "The path must be the service name of the Sentinels"),
        ("redis+sentinel://a/", "The path must be the service name of the Sentinels"),
        ("redis+sentinel://a,/tasks", "A host is missing"),
        ("redis://h?sentinel_password=hunter2", "Unknown parameters: sentinel_password"),
        ("unix://", "The path must be that of a socket"),
    ],
)
def test_other_urls_are_refused(url: str, message: str):
    """The message says what to do, and contains no value of the URL."""
    with pytest.raises(WrongRedisURL, match=re.escape(message)) as caught:
        read_redis_url(url)
    assert "hunter2" not in str(caught.value).replace("Unknown parameters: hunter2", "")


def test_secrets_are_not_shown():
    """In a traceback, for example."""
    target = read_redis_url("redis+sentinel://user:hunter2@h/s?sentinel_password=hunter2")
    assert "hunter2" not in repr(target)
