"""The objects to which the rows of a list belong: who may read them may read the rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from domain.actor import Actor
from domain.policy import Action, Reach, reach_of

Reaches = frozenset[Reach]


@dataclass(frozen=True, slots=True)
class Parent:
    """A kind of object. `action` is to read one.

    `is_visible` makes the condition for rows of objects that the actor may read, from the column with the object's id
    and the reaches of the actor. Its parameter is `actor_id`.
    """

    action: Action
    is_visible: Callable[[Any, Reaches], ColumnElement[bool]]

    def reaches(self, actor: Actor | None) -> Reaches:
        """The objects that the actor may read."""
        return reach_of(actor, self.action) if actor is not None else frozenset()
