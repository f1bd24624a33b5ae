"""The pages for operators name only commands, settings, metrics and alerts that exist."""

import re
from pathlib import Path

import pytest
import yaml

from domain.errors import ErrorCode, FailureCode
from observability.metrics import METRICS
from server.settings import Settings
from tests.project_rules.test_deployment import DEVELOPMENT, PRODUCTION, VARIABLE, commands

ROOT = Path(__file__).parents[2]
PAGES = (
    *("docs/deployment.md", "docs/operations.md", "docs/poolers.md", "docs/settings.md", "docs/troubleshooting.md"),
    "SECURITY.md",
)
pages = pytest.mark.parametrize("page", PAGES)


def test_the_installation_uses_these_commands():
    """docs/deployment.md has the commands that every installation needs."""
    stream = {"stream reset-epoch", "stream cursor-format"}
    assert {"migrate", "serve", "cleanup", "user create"} | stream <= commands_in("docs/deployment.md")


@pages
def test_commands_exist(page: str):
    """What follows `taskriver` is a command."""
    assert commands_in(page) <= commands()


@pages
def test_settings_exist(page: str):
    """A name in capitals is a setting, a variable of the compose files or of OpenTelemetry, or an error code."""
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)[=`]", text_of(page)))
    compose = {name for file in (PRODUCTION, DEVELOPMENT) for name, *_ in VARIABLE.findall(text_of(file))}
    known = {name.upper() for name in Settings.model_fields} | compose | {*ErrorCode, *FailureCode}
    assert {name for name in named - known if not name.startswith("OTEL_")} == set()


@pages
def test_metrics_and_alerts_exist(page: str):
    """A metric or an alert that a page names is a real one."""
    named = set(re.findall(r"`(taskriver_[a-z_]+|Taskriver[A-Z]\w+)`", text_of(page)))
    rules = yaml.safe_load(text_of("monitoring/prometheus/rules.yml"))["groups"][0]["rules"]
    assert named <= {metric.name for metric in METRICS} | {rule["alert"] for rule in rules if "alert" in rule}


def commands_in(page: str) -> set[str]:
    """The commands of `taskriver` that a page names."""
    return set(re.findall(r"\btaskriver ((?:(?:user|stream) )?[a-z][a-z-]+)(?=[ `\n])", text_of(page)))


def text_of(file: str) -> str:
    """A file of the repository."""
    return (ROOT / file).read_text()
