"""The Dockerfile, the compose files and .env.example match the code."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest
import yaml
from jsonschema import Draft202012Validator

from cli.commands import COMMANDS, load
from persistence.database import LOG_POOL_SIZE
from server.app import DRAIN_SECONDS
from server.known_secrets import DEVELOPMENT_SECRET
from server.settings import Settings
from tools import pin_images

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests/vendor/compose-spec/compose-spec.json"
PRODUCTION, DEVELOPMENT, TLS = (
    "docker-compose.yml",
    "docker-compose.development.yml",
    "docker-compose.tls.yml",
)
SECRETS = {"SECRET_KEYS": "k1:" + "x" * 64, "POSTGRES_PASSWORD": "y" * 48}
EXAMPLE = ROOT / ".env.example"
EXACT = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w-]+)?(@sha256:[0-9a-f]{64})?")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


class TestCompose:
    @pytest.mark.parametrize("name", [PRODUCTION, DEVELOPMENT, TLS])
    def test_compose_files_are_valid(self, name: str):
        """Each compose file matches the schema of the Compose Specification."""
        errors = Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(compose(name))
        assert [f"{error.json_path}: {error.message}" for error in errors] == []

    def test_the_parts_start_in_order(self):
        """The API waits for healthy servers and a finished migration, and the migration for the database."""
        services = compose()["services"]
        assert conditions(services["migrate"]) == {"postgres": "service_healthy"}
        assert conditions(services["api"]) == {
            "postgres": "service_healthy",
            "redis": "service_healthy",
            "migrate": "service_completed_successfully",
        }
        assert {name for name, service in services.items() if "test" in service.get("healthcheck", {})} == {
            "postgres",
            "redis",
            "api",
        }

    def test_the_api_is_ready_before_it_counts_as_healthy(self):
        """Compose asks the API whether it should be sent requests, the bare image only whether it lives."""
        assert "/readyz" in str(compose()["services"]["api"]["healthcheck"])
        assert "/healthz" in instruction("HEALTHCHECK")

    @pytest.mark.parametrize("name", ["migrate", "api"])
    def test_containers_have_few_privileges(self, name: str):
        """They write only in /tmp and gain no privileges."""
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - in the container
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert "privileged" not in service
        assert "user" not in service

    def test_the_api_has_four_workers_and_its_limits(self):
        """In production four processes share at most 4 CPUs and 2 GB."""
        service = resolved(compose()["services"]["api"])
        assert service["environment"]["WORKERS"] == "4"
        assert service["deploy"]["resources"]["limits"] == {"cpus": "4", "memory": "2G"}

    def test_only_the_api_is_published_and_only_locally(self):
        """Production publishes one port, development those of the servers, too, all on the loopback interface. Grafana
        has one on request.
        """
        production, development = compose(), compose(DEVELOPMENT)
        wanted = {name for name, service in production["services"].items() if "profiles" not in service}
        assert {name for name in wanted if "ports" in production["services"][name]} == {"api"}
        assert {name for name, service in production["services"].items() if "ports" in service} == {"api", "grafana"}
        for port in [*published(production), *published(development)]:
            assert port.startswith("127.0.0.1:")

    def test_the_environment_of_the_server_is_valid(self, monkeypatch: pytest.MonkeyPatch):
        """Its settings exist, and are fit for production with the two secrets of .env."""
        environment = resolved(compose()["services"]["api"])["environment"]
        assert environment == resolved(compose()["services"]["migrate"])["environment"]
        settings = settings_from(environment, monkeypatch)
        assert settings.is_production
        assert settings.database_url is not None
        assert SECRETS["POSTGRES_PASSWORD"] in settings.database_url.get_secret_value()

    def test_migrations_can_have_a_direct_connection(self):
        """Each setting of .env reaches them and the server, and nothing replaces those for a pooler."""
        services = compose()["services"]
        assert services["migrate"]["env_file"] == services["api"]["env_file"] == [{"path": ".env", "required": False}]
        assert {"DATABASE_POOLER", "DATABASE_DIRECT_URL"}.isdisjoint(services["migrate"]["environment"])

    def test_the_development_file_is_for_development(self, monkeypatch: pytest.MonkeyPatch):
        """On top of the production file it gives a development server with one process."""
        services = compose()["services"]
        for name, service in compose(DEVELOPMENT)["services"].items():
            environment = services[name].get("environment", {}) | service.get("environment", {})
            if name in ("api", "migrate"):
                assert not settings_from(resolved(environment), monkeypatch).is_production
        assert compose(DEVELOPMENT)["services"]["api"]["environment"]["WORKERS"] == "1"

    def test_no_secret_stands_in_the_files(self):
        """Secrets come from .env, and without them nothing starts: no default stands in."""
        for name in (PRODUCTION, DEVELOPMENT, TLS, "Dockerfile"):
            text = (ROOT / name).read_text()
            assert DEVELOPMENT_SECRET not in text
            assert re.findall(r"\$\{(?:SECRET_KEYS|POSTGRES_PASSWORD)(?!:\?)", text) == []
            assert re.findall(r"(?:SECRET_KEYS|PASSWORD): (?!\$\{)", text) == []

    def test_the_database_has_connections_for_two_versions(self):
        """While old and new processes overlap, connections for an operator are left."""
        command = compose()["services"]["postgres"]["command"]
        room = next(int(option.partition("=")[2]) for option in command if option.startswith("max_connections="))
        default = Settings.model_fields["database_pool_size"].default
        assert 2 * 4 * (default + LOG_POOL_SIZE) + 20 <= room

    def test_the_data_outlive_the_container(self):
        """From PostgreSQL 18 on the image keeps its data one folder higher than before."""
        service = compose()["services"]["postgres"]
        assert service["image"].startswith("postgres:18")
        assert service["volumes"] == ["postgres:/var/lib/postgresql"]

    def test_the_stop_timeout_is_long_enough(self):
        """The engine kills the server only after the shutdown time."""
        grace = int(compose()["services"]["api"]["stop_grace_period"].removesuffix("s"))
        assert grace >= Settings.model_fields["shutdown_seconds"].default + DRAIN_SECONDS + 5


class TestImage:
    def test_the_image_runs_as_an_unprivileged_user(self):
        """The last user is a number that is not root's; the command exists and gets the signals itself."""
        assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", instruction("USER"))
        script, command = json.loads(instruction("CMD"))
        assert script in PROJECT["project"]["scripts"]
        assert command in commands()
        assert {each.name for each in last_stage()}.isdisjoint({"ENTRYPOINT", "SHELL", "VOLUME"})

    def test_images_have_exact_tags(self):
        """In every stage."""
        assert all(EXACT.fullmatch(each.rest.split()[0]) for each in dockerfile() if each.name == "FROM")

    def test_the_image_has_no_build_tools(self):
        """Build backend and private servers are installed in another stage, from locks with hashes."""
        assert not any("pip" in each.rest for each in last_stage())
        assert copied(last_stage()) == ["--from=build"]
        installs = [
            part for each in dockerfile() for part in each.rest.split("&&") if "pip" in part and "install" in part
        ]
        assert len(installs) == 3
        assert all("--require-hashes" in install or "--no-index" in install for install in installs)

    def test_the_sources_of_copy_exist(self):
        """.dockerignore includes them."""
        sources = copied(dockerfile()[: -len(last_stage())])
        assert set(PACKAGES) <= set(sources)
        assert [source for source in sources if not (ROOT / source).exists() or not lets_through(source)] == []

    @pytest.mark.parametrize("name", [".env", ".git", ".venv", ".taskriver", "tests", "docs", "domain/__pycache__"])
    def test_the_context_has_nothing_else(self, name: str):
        """Secrets, history and data of this folder never get near an image."""
        assert not lets_through(name)

    def test_the_wheel_is_complete(self, tmp_path: Path):
        """What .dockerignore lets through is enough to build the wheel, which has every file of every package."""
        for path in context():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, tmp_path / path)
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "dist"]
        subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
        (wheel,) = (tmp_path / "dist").glob("*.whl")
        packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
        assert packed == {path for path in context() if path.split("/")[0] in PACKAGES}
        assert {"graphql_api/auth/rate_limits.lua", "migrations/script.py.mako"} <= packed
        assert any(name.startswith("migrations/versions/2") for name in packed)


class TestDefaults:
    """The defaults without settings."""

    def test_development_has_to_be_asked_for(self):
        """Compose reads no file by itself that makes a development server."""
        read_by_itself = (
            "compose.yaml",
            "compose.yml",
            "docker-compose.yaml",
            "compose.override.yaml",
            "compose.override.yml",
            "docker-compose.override.yaml",
            "docker-compose.override.yml",
        )
        assert [name for name in read_by_itself if (ROOT / name).exists()] == []
        services = compose()["services"]
        assert {services[name]["environment"]["ENVIRONMENT"] for name in ("api", "migrate")} == {"production"}

    @pytest.mark.parametrize("name", [PRODUCTION, DEVELOPMENT, TLS])
    def test_images_have_exact_tags(self, name: str):
        """The same file starts the same servers, whenever it is used."""
        images = {service["image"] for service in compose(name)["services"].values() if "image" in service}
        assert [image for image in images - {"taskriver:local"} if not EXACT.fullmatch(image)] == []

    def test_the_example_is_refused_until_it_is_filled_in(self, monkeypatch: pytest.MonkeyPatch):
        """A copy of .env.example with nothing but a key does not start, and the setting is named."""
        example = dict(line.split("=", 1) for line in EXAMPLE.read_text().splitlines() if re.match(r"[A-Z_]+=", line))
        with pytest.raises(ValueError, match="the password in DATABASE_URL is a well-known one"):
            settings_from(example | {"SECRET_KEYS": SECRETS["SECRET_KEYS"]}, monkeypatch)

    def test_the_example_trusts_one_address(self):
        """A client in a trusted network can claim any address."""
        (named,) = re.findall(r"TRUSTED_PROXIES=(\S+)", EXAMPLE.read_text())
        assert ip_network(named).num_addresses == 1

    @pytest.mark.parametrize(
        "password",
        [
            "change-me",
            "CHANGE_ME",
            "changeme",
            "password",
            "postgres",
            "Passw0rd",
            "u",
            "please-change-me-now",
            "p%61ssword",
        ],
    )
    def test_known_passwords_are_refused(self, monkeypatch: pytest.MonkeyPatch, password: str):
        """For the database and for Redis; the message names the setting without its value."""
        safe = {"ENVIRONMENT": "production", "SECRET_KEYS": SECRETS["SECRET_KEYS"], "DATABASE_URL": "postgresql://h/d"}
        for name, url in (("DATABASE_URL", f"postgresql://u:{password}@h/d"), ("REDIS_URL", f"redis://u:{password}@h")):
            with pytest.raises(ValueError, match=f"the password in {name} is a well-known one"):
                settings_from(safe | {name: url}, monkeypatch)
        with pytest.raises(ValueError, match="SECRET_KEYS holds a placeholder"):
            settings_from(safe | {"SECRET_KEYS": "k1:" + "change-me-" * 5}, monkeypatch)
        assert settings_from(safe | {"DATABASE_URL": "postgresql://u@h/d"}, monkeypatch).is_production


class TestPinning:
    def test_digests_are_added_and_brought_up_to_date(self):
        """Once or twice: an image keeps its tag and gets one digest; an image that is built here gets none."""
        text = "  image: postgres:18.4-trixie\n  image: taskriver:local\nFROM python:3.13.14-slim-trixie AS build\n"
        for digest in ("sha256:" + "a" * 64, "sha256:" + "b" * 64):
            digests = dict.fromkeys(("postgres:18.4-trixie", "python:3.13.14-slim-trixie"), digest)
            text = pin_images.pinned(text, digests)
            assert text.splitlines() == [
                f"  image: postgres:18.4-trixie@{digest}",
                "  image: taskriver:local",
                f"FROM python:3.13.14-slim-trixie@{digest} AS build",
            ]

    def test_every_image_is_found(self):
        """In the files as they are."""
        texts = [(ROOT / name).read_text() for name in pin_images.FILES]
        found = {each["image"] for text in texts for each in pin_images.IMAGE.finditer(text)}
        services = [*compose()["services"].values(), *compose(TLS)["services"].values()]
        named = {service["image"] for service in services if "image" in service} - {"taskriver:local"}
        stages = {each.rest.split()[0] for each in dockerfile() if each.name == "FROM"}
        assert found == {image.partition("@")[0] for image in named | stages}

    def test_without_a_registry_nothing_is_changed(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        """If the client is missing or reaches nothing."""
        monkeypatch.setenv("PATH", str(tmp_path))
        before = [(ROOT / name).read_text() for name in pin_images.FILES]
        assert pin_images.main() == 1
        assert [(ROOT / name).read_text() for name in pin_images.FILES] == before


class Instruction(NamedTuple):
    """One of a Dockerfile."""

    name: str
    rest: str


class Loader(yaml.SafeLoader):
    """Knows the tag by which an override takes something away."""


def _nothing(loader: Loader, node: yaml.Node) -> list[Any] | None:
    return [] if isinstance(node, yaml.SequenceNode) else None


Loader.add_constructor("!reset", _nothing)

VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def compose(name: str = PRODUCTION) -> dict[str, Any]:
    """A compose file as it is written."""
    loaded: dict[str, Any] = yaml.load((ROOT / name).read_text(), Loader)  # noqa: S506 - a SafeLoader
    return loaded


def resolved(value: Any) -> Any:
    """The value with its variables in place, as with the two secrets in .env and nothing else."""
    if isinstance(value, dict):
        return {key: resolved(each) for key, each in value.items()}
    if isinstance(value, list):
        return [resolved(each) for each in value]
    return VARIABLE.sub(_variable, value) if isinstance(value, str) else value


def _variable(match: re.Match[str]) -> str:
    name, kind, text = match.groups()
    return SECRETS[name] if kind == "?" else text or ""


def settings_from(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a process that has this environment, which must hold nothing else."""
    names = {name.upper() for name in Settings.model_fields}
    assert set(environment) <= names
    for name in names:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


def conditions(service: dict[str, Any]) -> dict[str, str]:
    """What a service waits for."""
    return {name: each["condition"] for name, each in service["depends_on"].items()}


def published(file: dict[str, Any]) -> list[str]:
    """Every published port of a compose file."""
    return [port for service in file["services"].values() for port in resolved(service.get("ports", []))]


def dockerfile() -> list[Instruction]:
    """The instructions, each on one line."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [Instruction(*line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def last_stage() -> list[Instruction]:
    """What makes the image itself."""
    instructions = dockerfile()
    start = max(number for number, each in enumerate(instructions) if each.name == "FROM")
    return instructions[start:]


def instruction(name: str) -> str:
    """The one of this name in the last stage; of a health check, only the command."""
    (found,) = (each.rest for each in last_stage() if each.name == name)
    return found


def copied(instructions: list[Instruction]) -> list[str]:
    """The sources of every COPY; of one from another stage, only the stage."""
    found = [each.rest.split()[:-1] for each in instructions if each.name == "COPY"]
    return [source for sources in found for source in (sources[:1] if sources[0].startswith("--") else sources)]


def commands() -> set[str]:
    """What can be typed after `taskriver`."""
    below = {f"{name} {each}" for name in COMMANDS for each in getattr(load(name), "commands", ())}
    return set(COMMANDS) | below


def context() -> list[str]:
    """Every file that the build is given."""
    tops = {line.strip("!/") for line in _ignore_lines() if line.startswith("!")}
    files = (file for top in sorted(tops) for file in (ROOT / top, *(ROOT / top).rglob("*")) if file.is_file())
    return [path for path in (file.relative_to(ROOT).as_posix() for file in files) if lets_through(path)]


def lets_through(path: str) -> bool:
    """Whether .dockerignore includes a path: the last line that matches it or a parent folder decides."""
    lineage = [path, *(parent.as_posix() for parent in PurePosixPath(path).parents)][: path.count("/") + 1]
    passes = True
    for line in _ignore_lines():
        if any(_pattern(line).fullmatch(each) for each in lineage):
            passes = line.startswith("!")
    return passes


def _ignore_lines() -> Iterator[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return (line for line in lines if line.strip() and not line.startswith("#"))


def _pattern(line: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*|\?)", line.strip("!/"))
    meanings = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(meanings.get(part) or re.escape(part).replace(r"\[", "[").replace(r"\]", "]") for part in parts)
    )
