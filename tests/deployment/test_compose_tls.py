"""The compose file with TLS: Caddy alone reaches the API, and is the only one whose addresses count."""

import re
import shutil
import subprocess
from ipaddress import IPv4Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.project_rules.test_deployment import PRODUCTION, SECRETS, TLS, compose, resolved, settings_from

ROOT = Path(__file__).parents[2]
CADDYFILE = (ROOT / "deploy/caddy/Caddyfile").read_text()
DOMAIN = {"TASKRIVER_DOMAIN": "tasks.example.org"}
FILES = (f"--file={PRODUCTION}", f"--file={TLS}")


def services() -> dict[str, Any]:
    """The services of the file, with the variables in place."""
    file = compose(TLS)
    file["services"]["caddy"]["environment"].update(DOMAIN)
    found: dict[str, Any] = resolved(file["services"])
    return found


def test_only_caddy_is_trusted():
    """It has a fixed address, which no other container gets."""
    (pool,) = resolved(compose(TLS)["networks"]["default"]["ipam"]["config"])
    address = ip_address(services()["caddy"]["networks"]["default"]["ipv4_address"])
    assert ip_network(services()["api"]["environment"]["TRUSTED_PROXIES"]) == ip_network(address)
    assert address in ip_network(pool["subnet"])
    assert address not in ip_network(pool["ip_range"])
    assert IPv4Network(pool["ip_range"]).subnet_of(IPv4Network(pool["subnet"]))


def test_only_caddy_is_published():
    """On the ports of HTTP and HTTPS, the latter also for HTTP/3."""
    assert services()["api"]["ports"] == []  # `!reset`
    assert services()["caddy"]["ports"] == ["80:80", "443:443", "443:443/udp"]


def test_caddy_gets_its_variables():
    """All that the Caddyfile reads, and its upstream is the API."""
    environment = services()["caddy"]["environment"]
    assert set(re.findall(r"\{\$(\w+)", CADDYFILE)) == environment.keys()
    assert environment["TASKRIVER_UPSTREAM"] == f"api:{compose()['services']['api']['environment']['PORT']}"
    assert "./deploy/caddy/Caddyfile:/etc/caddy/Caddyfile:ro" in services()["caddy"]["volumes"]


def test_caddy_has_few_privileges():
    """It can open low ports, and write only its certificates."""
    caddy = services()["caddy"]
    assert (caddy["read_only"], caddy["cap_drop"], caddy["cap_add"]) == (True, ["ALL"], ["NET_BIND_SERVICE"])
    written = {volume.split(":")[1] for volume in caddy["volumes"] if not volume.endswith(":ro")}
    assert written == {"/data", "/config"}


def test_the_api_is_fit_for_production(monkeypatch: pytest.MonkeyPatch):
    """With the environment of both files."""
    environment = resolved(compose()["services"]["api"]["environment"]) | services()["api"]["environment"]
    settings = settings_from(environment, monkeypatch)
    assert settings.is_production
    assert settings.trusted_proxies


@pytest.fixture
def docker_compose() -> list[str]:
    """The command of Docker Compose, version 2 or newer."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            continue
        done = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and int(done.stdout.strip().lstrip("v").partition(".")[0]) >= 2:
            return command
    pytest.skip("there is no Docker Compose")


def test_compose_accepts_both_files(docker_compose: list[str], tmp_path: Path):
    """And merges them: Caddy alone has ports."""
    variables = tmp_path / "env"
    variables.write_text("".join(f"{name}={value}\n" for name, value in (SECRETS | DOMAIN).items()))
    command = [*docker_compose, f"--env-file={variables}", *FILES, "config"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    merged = yaml.safe_load(output)["services"]
    assert {name for name, service in merged.items() if service.get("ports")} == {"caddy"}
    assert merged["api"]["environment"]["TRUSTED_PROXIES"] == "172.30.91.10/32"


def test_compose_requires_the_domain(docker_compose: list[str], tmp_path: Path):
    """The message names the variable."""
    variables = tmp_path / "env"
    variables.write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    command = [*docker_compose, f"--env-file={variables}", *FILES, "config"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "TASKRIVER_DOMAIN" in done.stderr
