"""Renders the overlays in deploy/kubernetes, with the features of kustomize that they use and no others."""

from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
"""An object of the Kubernetes API."""
Key = tuple[str, str]
"""Kind and name."""

_KNOWN = {"apiVersion", "kind", "resources", "images", "patches"}


def render(folder: Path) -> dict[Key, Object]:
    """The objects of a folder with a kustomization.

    Raises:
        ValueError: the kustomization uses another feature, or a patch changes nothing.
    """
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := kustomization.keys() - _KNOWN:
        raise ValueError(f"{folder}: not known here: {unknown}")
    objects: dict[Key, Object] = {}
    for resource in kustomization["resources"]:
        path = folder / resource
        found = render(path) if path.is_dir() else _read(path)
        if twice := objects.keys() & found.keys():
            raise ValueError(f"{folder}: twice: {twice}")
        objects |= found
    for patch in kustomization.get("patches", []):
        _patch(objects, folder / patch["path"])
    for image in kustomization.get("images", []):
        _rename(objects, image["name"], f"{image['newName']}:{image['newTag']}")
    return objects


def key_of(item: Object) -> Key:
    """Kind and name of an object."""
    return item["kind"], item["metadata"]["name"]


def pods(objects: dict[Key, Object]) -> dict[Key, Object]:
    """The pod templates of Deployments and Jobs."""
    return {key: item["spec"]["template"] for key, item in objects.items() if key[0] in ("Deployment", "Job")}


def _read(path: Path) -> dict[Key, Object]:
    return {key_of(item): item for item in yaml.safe_load_all(path.read_text())}


def _patch(objects: dict[Key, Object], path: Path) -> None:
    for key, patch in _read(path).items():
        if key not in objects:
            raise ValueError(f"{path}: there is no {key}")
        objects[key] = _merged(objects[key], patch)


def _merged(item: Object, patch: Object) -> Object:
    merged = dict(item)
    for name, value in patch.items():
        if isinstance(value, list):
            raise ValueError(f"{name}: lists are not merged here")
        merged[name] = _merged(item.get(name, {}), value) if isinstance(value, dict) else value
    return merged


def _rename(objects: dict[Key, Object], name: str, image: str) -> None:
    containers = [container for pod in pods(objects).values() for container in pod["spec"]["containers"]]
    for container in containers:
        if container["image"].split(":")[0] == name:
            container["image"] = image
