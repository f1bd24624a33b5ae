"""The manifests of Kubernetes are valid, refer to each other correctly, and fit the server."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from persistence.database import LOG_POOL_SIZE
from server.app import DRAIN_SECONDS
from server.settings import Settings
from tests.deployment.kustomize import Key, Object, key_of, pods, render
from tests.project_rules.test_deployment import SECRETS, commands, compose, dockerfile, instruction, settings_from

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
VERSION = "1.37"
CUSTOM = {"Cluster"}
"""Kinds that operators add."""
OVERLAYS = ("external", "cloudnativepg")
SECRET_KEYS = {
    ("taskriver-database-app", "uri"),
    ("taskriver-database-direct", "uri"),
    ("taskriver-redis", "uri"),
    ("taskriver-redis", "password"),
    ("taskriver-keys", "SECRET_KEYS"),
}
"""The secrets that docs/deployment/kubernetes.md creates, or that CloudNativePG creates."""
CLUSTER_FIELDS = {
    "instances",
    "primaryUpdateStrategy",
    *(f"bootstrap.initdb.{name}" for name in ("database", "owner", "dataChecksums", "locale", "localeProvider")),
    "bootstrap.initdb.builtinLocale",
    "postgresql.parameters.max_connections",
    *(f"postgresql.synchronous.{name}" for name in ("method", "number", "dataDurability", "failoverQuorum")),
    *(f"affinity.{name}" for name in ("enablePodAntiAffinity", "podAntiAffinityType", "topologyKey")),
    "storage.size",
    "walStorage.size",
    *(f"resources.{kind}" for kind in ("requests.cpu", "requests.memory", "limits.memory")),
}
"""The fields of a Cluster of CloudNativePG that are used, by their paths in `spec` (API version v1, from 1.28 on)."""
overlays = pytest.mark.parametrize("overlay", OVERLAYS)


def objects_of(overlay: str) -> dict[Key, Object]:
    """The objects of an overlay."""
    return render(FOLDER / "overlays" / overlay)


def server_containers(overlay: str) -> Iterator[tuple[Object, Object]]:
    """The pods of Taskriver, each with its only container."""
    for pod in pods(objects_of(overlay)).values():
        if pod["metadata"]["labels"]["app.kubernetes.io/name"] == "taskriver":
            (container,) = pod["spec"]["containers"]
            yield pod, container


class TestSchemas:
    @overlays
    def test_objects_match_the_schemas_of_the_api(self, overlay: str):
        """Strictly: an unknown field is an error. Custom resources have no schema here."""
        kinds = set()
        for (kind, _), item in objects_of(overlay).items():
            if kind not in CUSTOM:
                assert kubernetes_validate.validate(item, VERSION, strict=True) == VERSION
                kinds.add(kind)
        assert {"ConfigMap", "Deployment", "Ingress", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service"} <= kinds

    def test_an_unknown_field_is_an_error(self):
        """The schemas are the strict ones."""
        item = objects_of("external")["Deployment", "taskriver"]
        item["spec"]["template"]["spec"]["containers"][0]["readyProbe"] = {}
        with pytest.raises(kubernetes_validate.ValidationError, match="readyProbe"):
            kubernetes_validate.validate(item, VERSION, strict=True)

    def test_the_database_uses_known_fields(self):
        """Each field of the Cluster is one of CloudNativePG's API."""
        cluster = objects_of("cloudnativepg")["Cluster", "taskriver-database"]
        assert cluster["apiVersion"] == "postgresql.cnpg.io/v1"
        assert set(paths(cluster["spec"])) == CLUSTER_FIELDS
        assert cluster["spec"]["instances"] > cluster["spec"]["postgresql"]["synchronous"]["number"] + 1

    @overlays
    @pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl")
    def test_kustomize_renders_the_same(self, overlay: str):
        """The tests' own renderer has the same result as kubectl."""
        command = ["kubectl", "kustomize", str(FOLDER / "overlays" / overlay)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert {key_of(item): item for item in yaml.safe_load_all(output)} == objects_of(overlay)


class TestReferences:
    @overlays
    def test_everything_is_in_one_namespace(self, overlay: str):
        """Names refer to objects of the same namespace."""
        objects = objects_of(overlay)
        named = {item["metadata"].get("namespace") for key, item in objects.items() if key[0] != "Namespace"}
        assert named == {name for kind, name in objects if kind == "Namespace"}

    @overlays
    def test_secrets_are_references(self, overlay: str):
        """Each one is documented; the files contain none."""
        found = set()
        for pod in pods(objects_of(overlay)).values():
            for variable in pod["spec"]["containers"][0].get("env", []):
                reference = variable["valueFrom"]["secretKeyRef"]
                found.add((reference["name"], reference["key"]))
        assert found <= SECRET_KEYS
        assert not any(kind == "Secret" for kind, _ in objects_of(overlay))
        page = (ROOT / "docs/deployment/kubernetes.md").read_text()
        for name, key in SECRET_KEYS:
            assert name in page
            assert f"{key}=" in page

    @overlays
    def test_only_the_direct_connection_may_be_missing(self, overlay: str):
        """Without a pooler there is no secret for it, and the pods start. All other secrets must exist."""
        for pod, container in server_containers(overlay):
            references = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"]}
            optional = {name for name, reference in references.items() if reference.get("optional")}
            assert optional == {"DATABASE_DIRECT_URL"}, pod["metadata"]["labels"]

    @overlays
    def test_the_service_selects_the_pods_of_the_api(self, overlay: str):
        """And not those of the migration, which have no server."""
        objects = objects_of(overlay)
        for (kind, name), service in objects.items():
            if kind != "Service":
                continue
            selected = {key for key, pod in pods(objects).items() if is_selected(pod, service["spec"]["selector"])}
            assert selected == {("Deployment", name)}
            ports = port_names(objects["Deployment", name]["spec"]["template"])
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports

    @overlays
    @pytest.mark.parametrize("kind", ["Deployment", "PodDisruptionBudget"])
    def test_selectors_match_the_pods(self, overlay: str, kind: str):
        """Of the object with the same name."""
        objects = objects_of(overlay)
        for (found, name), item in objects.items():
            if found == kind:
                pod = objects["Deployment", name]["spec"]["template"]
                assert is_selected(pod, item["spec"]["selector"]["matchLabels"])

    @overlays
    def test_the_ingress_leads_to_the_service(self, overlay: str):
        """By the names of the service and of its port; idle time-outs are longer than the server's pings."""
        objects = objects_of(overlay)
        ingress = objects["Ingress", "taskriver"]
        (rule,) = ingress["spec"]["rules"]
        (path,) = rule["http"]["paths"]
        backend = path["backend"]["service"]
        service = objects["Service", backend["name"]]
        assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
        annotations = ingress["metadata"]["annotations"]
        assert annotations["nginx.org/websocket-services"] == backend["name"]
        assert int(annotations["nginx.org/proxy-read-timeout"].removesuffix("s")) > 15

    @overlays
    def test_network_policies_name_existing_pods_and_ports(self, overlay: str):
        """A policy that selects nothing, or a port without a name in its pods, would block silently."""
        objects = objects_of(overlay)
        labels = [pod["metadata"]["labels"] for pod in pods(objects).values()]
        labels += [{"cnpg.io/cluster": name} for kind, name in objects if kind == "Cluster"]
        for (kind, _), policy in objects.items():
            if kind == "NetworkPolicy":
                for selector in pod_selectors(policy["spec"]):
                    assert any(selector.items() <= each.items() for each in labels), selector
        for name, port in named_ingress_ports(objects):
            assert port in {found for pod in pods(objects).values() for found in port_names(pod)}, name

    def test_the_server_may_reach_its_servers(self):
        """PostgreSQL and Valkey accept what the pods of Taskriver may send."""
        objects = objects_of("cloudnativepg")
        egress = objects["NetworkPolicy", "taskriver-servers"]["spec"]["egress"]
        sent = [(rule["to"][0]["podSelector"]["matchLabels"], rule["ports"][0]["port"]) for rule in egress]
        assert sent == [
            ({"cnpg.io/cluster": "taskriver-database"}, 5432),
            ({"app.kubernetes.io/name": "taskriver-valkey"}, "redis"),
        ]
        for name, (labels, port) in zip(("taskriver-database", "taskriver-valkey"), sent, strict=True):
            accepting = objects["NetworkPolicy", name]["spec"]
            assert accepting["podSelector"]["matchLabels"] == labels
            rule = accepting["ingress"][0]
            assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "taskriver"}}}]
            assert {"port": port} in rule["ports"]


class TestServer:
    @overlays
    def test_the_environment_is_valid(self, overlay: str, monkeypatch: pytest.MonkeyPatch):
        """Every variable is a setting, and the result is fit for production."""
        data = objects_of(overlay)["ConfigMap", "taskriver"]["data"]
        values = {
            "DATABASE_URL": "postgresql://u:x1@h/d",
            "DATABASE_DIRECT_URL": "postgresql://u:x1@p/d",
            "REDIS_URL": "redis://:x1@h:6379/0",
        }
        for _, container in server_containers(overlay):
            assert container["envFrom"] == [{"configMapRef": {"name": "taskriver"}}]
            secret = {variable["name"] for variable in container["env"]}
            assert secret == {*values, "SECRET_KEYS"}
            assert secret.isdisjoint(data)
        settings = settings_from(data | values | {"SECRET_KEYS": SECRETS["SECRET_KEYS"]}, monkeypatch)
        assert settings.is_production
        assert settings.trusted_proxies
        assert settings.database_direct_url is not None
        assert settings.database_direct_url.get_secret_value() == values["DATABASE_DIRECT_URL"]

    @overlays
    def test_ports_and_probes_are_those_of_the_server(self, overlay: str):
        """Liveness is not readiness: a restart does not help against an outage of the database."""
        data = objects_of(overlay)["ConfigMap", "taskriver"]["data"]
        container = objects_of(overlay)["Deployment", "taskriver"]["spec"]["template"]["spec"]["containers"][0]
        ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
        assert ports == {"http": data["PORT"], "metrics": data["METRICS_PORT"]}
        probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert {name: probe["path"] for name, probe in probes.items()} == {
            "startupProbe": "/healthz",
            "livenessProbe": "/healthz",
            "readinessProbe": "/readyz",
        }
        assert {probe["port"] for probe in probes.values()} == {"http"}
        assert {"/healthz", "/readyz"} <= set(re.findall(r'"(/\w+)"', (ROOT / "server/app.py").read_text()))

    @overlays
    def test_commands_and_users_are_those_of_the_image(self, overlay: str):
        """The user is the one of the Dockerfile, and each command is one of Taskriver."""
        for pod, container in server_containers(overlay):
            context = pod["spec"]["securityContext"]
            assert f"{context['runAsUser']}:{context['runAsGroup']}" == instruction("USER")
            assert " ".join(container["command"][1:]) in commands()
        found = {container["command"][1] for _, container in server_containers(overlay)}
        assert found == {"serve", "migrate"}
        assert any(each.name == "CMD" for each in dockerfile())

    @overlays
    def test_all_containers_run_the_same_version(self, overlay: str):
        """The migration is the one of the server."""
        assert len({container["image"] for _, container in server_containers(overlay)}) == 1

    def test_the_base_has_the_version_of_the_project(self):
        """And Valkey the one of the compose file."""
        version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
        assert version is not None
        objects = render(FOLDER / "base")
        images = {pod["spec"]["containers"][0]["image"] for pod in pods(objects).values()}
        assert images == {f"taskriver:{version[1]}"}
        valkey = pods(objects_of("cloudnativepg"))["Deployment", "taskriver-valkey"]["spec"]["containers"][0]["image"]
        assert valkey == compose()["services"]["redis"]["image"].partition("@")[0]

    @overlays
    def test_containers_have_few_privileges(self, overlay: str):
        """They satisfy the standard `restricted`, which the namespace enforces, and write only to /tmp."""
        objects = objects_of(overlay)
        enforced = objects["Namespace", "taskriver"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        assert enforced == "restricted"
        for pod in pods(objects).values():
            spec, (container,) = pod["spec"], pod["spec"]["containers"]
            assert spec["automountServiceAccountToken"] is False
            assert spec["securityContext"]["runAsNonRoot"] is True
            assert spec["securityContext"]["runAsUser"] > 0
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {volume["name"] for volume in spec["volumes"] if "emptyDir" in volume} == {
                mount["name"] for mount in container["volumeMounts"]
            }
        for _, container in server_containers(overlay):
            assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108 - in the pod

    @overlays
    def test_an_update_takes_no_capacity_away(self, overlay: str):
        """A pod ends only when its successor is ready, and is killed only after its shutdown time."""
        objects = objects_of(overlay)
        spec = objects["Deployment", "taskriver"]["spec"]
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        pod = spec["template"]["spec"]
        pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        shutdown = int(objects["ConfigMap", "taskriver"]["data"]["SHUTDOWN_SECONDS"])
        assert pod["terminationGracePeriodSeconds"] >= pause + DRAIN_SECONDS + shutdown + 5
        assert spec["replicas"] > objects["PodDisruptionBudget", "taskriver"]["spec"]["maxUnavailable"]

    def test_the_database_has_connections_for_an_update(self):
        """For all pods and one more, with room for an operator."""
        objects = objects_of("cloudnativepg")
        spec = objects["Deployment", "taskriver"]["spec"]
        workers = int(objects["ConfigMap", "taskriver"]["data"]["WORKERS"])
        processes = (spec["replicas"] + spec["strategy"]["rollingUpdate"]["maxSurge"]) * workers
        parameters = objects["Cluster", "taskriver-database"]["spec"]["postgresql"]["parameters"]
        pool = Settings.model_fields["database_pool_size"].default + LOG_POOL_SIZE
        assert processes * pool + 20 <= int(parameters["max_connections"])


def paths(value: Any, prefix: str = "") -> Iterator[str]:
    """The paths of all leaves of nested mappings."""
    if not isinstance(value, dict):
        yield prefix
        return
    for name, inner in value.items():
        yield from paths(inner, f"{prefix}.{name}" if prefix else name)


def is_selected(pod: Object, selector: dict[str, str]) -> bool:
    """Whether a selector selects the pods of a template."""
    return bool(selector.items() <= pod["metadata"]["labels"].items())


def port_names(pod: Object) -> set[str]:
    """The names of the ports of a pod."""
    return {port["name"] for port in pod["spec"]["containers"][0].get("ports", [])}


def pod_selectors(spec: Object) -> Iterator[dict[str, str]]:
    """The selectors of pods of this namespace in a network policy."""
    yield spec["podSelector"]["matchLabels"]
    for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
        for peer in rule.get("from", rule.get("to", [])):
            if "podSelector" in peer and "namespaceSelector" not in peer:
                yield peer["podSelector"]["matchLabels"]


def named_ingress_ports(objects: dict[Key, Object]) -> Iterator[tuple[str, str]]:
    """The names of ports in network policies, with the name of the policy."""
    for (kind, name), item in objects.items():
        if kind == "NetworkPolicy":
            for rule in [*item["spec"].get("ingress", []), *item["spec"].get("egress", [])]:
                yield from ((name, port["port"]) for port in rule["ports"] if isinstance(port["port"], str))
