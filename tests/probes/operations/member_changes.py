"""Mutations of the members of projects, with foreign projects and with users who are not members."""

from functools import partial
from typing import Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents, oracle
from tests.probes.operation import Document, Json, Operation
from tests.probes.scene import Scene

_MEMBERSHIP: Final = f"membership {{ {documents.MEMBERSHIP} }}"
_DELETED: Final = "deletedMembershipId"
_ADD: Final = documents.mutation("addMember", _MEMBERSHIP)
_SET: Final = documents.mutation("setMemberRole", _MEMBERSHIP)
_REMOVE: Final = documents.mutation("removeMember", _DELETED)
_LEAVE: Final = documents.mutation("leaveProject", _DELETED)


def _managed(scene: Scene) -> str:
    may, reads = scene.may_in_project(Action.MANAGE_MEMBERS), scene.may_in_project(Action.READ_PROJECT)
    return oracle.answer(may=may, reads=reads)


def _added(scene: Scene) -> str:
    found = _managed(scene)
    return oracle.ALREADY_EXISTS if found == oracle.ALLOWED and _is_member(scene) else found


def _of_member(scene: Scene) -> str:
    found = _managed(scene)
    return oracle.NOT_FOUND if found == oracle.ALLOWED and not _is_member(scene) else found


def _left(scene: Scene) -> str:
    return oracle.ALLOWED if scene.actor.id in scene.project.members else oracle.NOT_FOUND


def _manages(scene: Scene) -> bool:
    return scene.may_in_project(Action.MANAGE_MEMBERS)


def _is_member(scene: Scene) -> bool:
    return scene.person.id in scene.project.members


def _input(scene: Scene) -> Json:
    return {"projectId": encode_id("Project", scene.project.id), "userId": encode_id("User", scene.person.id)}


def _document(text: str, more: Json, scene: Scene) -> Document:
    return Document(text, {"input": _input(scene) | more})


def _of_keeper(scene: Scene) -> Scene:
    return scene.with_person(scene.world.keeper)


def _of_outsider(scene: Scene) -> Scene:
    return scene.with_person(scene.world.outsider)


def _managing(scene: Scene) -> Scene:
    return scene.with_manager(Action.MANAGE_MEMBERS)


_change = partial(Operation, copy=Scene.with_copied_project)
_BOTH: Final = (("input", "projectId"), ("input", "userId"))

OPERATIONS: Final = (
    _change(
        name="addMember",
        probes=frozenset({"Mutation.addMember.input.projectId"}),
        make=lambda scene: Document(_ADD, {"input": _input(scene)}),
        expected=_added,
        control=lambda scene: _of_outsider(_managing(scene)),
        ids=_BOTH,
    ),
    _change(
        name="addMember, a member",
        probes=frozenset({"Mutation.addMember.input.userId"}),
        make=lambda scene: Document(_ADD, {"input": _input(scene)}),
        expected=_added,
        prepare=_of_keeper,
        control=lambda scene: _of_outsider(_managing(scene)),
        ids=_BOTH,
    ),
    *(
        _change(
            name=name + suffix,
            probes=frozenset({f"Mutation.{name}.input.{argument}"}),
            make=partial(_document, text, more),
            expected=_of_member,
            prepare=prepare,
            control=lambda scene: _of_keeper(_managing(scene)),
            ids=_BOTH,
            prefers=prefers,
        )
        for name, text, more in (("setMemberRole", _SET, {"role": "VIEWER"}), ("removeMember", _REMOVE, {}))
        for argument, suffix, prepare, prefers in (
            ("projectId", "", _of_keeper, None),
            ("userId", " of another project", _of_outsider, _manages),
        )
    ),
    _change(
        name="leaveProject",
        probes=frozenset({"Mutation.leaveProject.input.projectId"}),
        make=lambda scene: Document(_LEAVE, {"input": {"projectId": encode_id("Project", scene.project.id)}}),
        expected=_left,
        control=lambda scene: scene.with_actor(scene.world.keeper),
        ids=(("input", "projectId"),),
    ),
)
