"""Lists of rows that belong to another object, such as the history of a task: one page for each of several objects."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import gt, lt
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, FromClause, Integer, Select, Uuid, any_, bindparam, func, select

from domain.actor import Actor
from domain.errors import BadRequest
from persistence.pagination import NOT_OURS, PageCursor, PageRequest, page_cursor
from persistence.queries.joins import References, joined, own_columns
from persistence.queries.page_facts import ONE, facts_of, is_any
from persistence.queries.parent import Parent, Reaches
from persistence.queries.query import Paged, Query
from persistence.queries.task_visibility import TASK, values_of


def number_in(text: str) -> int:
    """The number in a cursor of a list whose places are numbers.

    Raises:
        ValueError: it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True, slots=True, eq=False)
class ChildList:
    """A list of each parent's rows, sorted by `place`, which is unique and never null.

    `order` is the name of the list in cursors. `parent_id` is the column with the id of the parent, which is a task
    unless `parent` names another kind. `columns` are the columns that can be read, by name. `read_place` converts the
    text in a cursor, and raises ValueError if it is none. `of_references` has the columns of the rows that are columns
    of what they reference.
    """

    order: str
    parent_id: Any
    place: Any
    columns: Mapping[str, Any]
    references: References
    read_place: Callable[[str], Any] = UUID
    conditions: tuple[ColumnElement[bool], ...] = ()
    descending: bool = False
    parent: Parent = TASK
    of_references: Mapping[str, str] = field(default_factory=dict)

    def page(self, ids: Collection[UUID], request: PageRequest, actor: Actor | None = None) -> Paged:
        """A page of each parent's list, and one more row, to find out whether there is a next page.

        The actor is needed for columns that depend on the viewer.

        Raises:
            BadRequest: a cursor was not made by this API.
        """
        values: dict[str, Any] = {"ids": list(ids), "limit": request.limit, **values_of(actor)}
        for name, cursor in (("after", request.after), ("before", request.before)):
            if cursor is not None:
                values[name] = self._place_in(cursor)
        rows = ChildPages(self, request.after is not None, request.before is not None, request.backward, request.facts)
        return Paged(Query(rows, values), request, self.cursor)

    def by_ids(self, actor: Actor | None, ids: Collection[UUID]) -> Query:
        """Those of the rows with these ids whose parents the actor may read."""
        return Query(VisibleChildren(self, self.parent.reaches(actor)), {"ids": list(ids), **values_of(actor)})

    def by_id(self, actor: Actor | None, row_id: UUID) -> Query:
        """The row with this id, if the actor may read its parent."""
        return self.by_ids(actor, [row_id])

    def cursor(self, place: Any, parent_id: UUID) -> str:
        """The cursor of a row."""
        return page_cursor(self.order, str(place), parent_id)

    def stored(self, columns: Sequence[str]) -> list[str]:
        """The columns that are read for these columns of a row."""
        return [self.of_references.get(name, name) for name in columns]

    def _place_in(self, cursor: PageCursor) -> Any:
        try:
            return self.read_place(cursor.value or "")
        except ValueError as error:
            raise BadRequest(NOT_OURS) from error


@dataclass(frozen=True, slots=True)
class VisibleChildren:
    """Rows by their ids, if the actor may read their parents. Parameters: `ids`, `actor_id`."""

    children: ChildList
    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        known, references, columns = self.children.columns, self.children.references, self.children.stored(columns)
        wanted = known["id"] == any_(bindparam("ids", type_=ARRAY(Uuid())))
        rows = select(*(known[name].label(name) for name in own_columns(columns, references)))
        rows = rows.where(wanted, self.children.parent.is_visible(self.children.parent_id, self.reaches))
        return joined(rows.subquery("selected"), columns, references)


@dataclass(frozen=True, slots=True)
class ChildPages:
    """One page for each parent. Parameters: `ids`, `limit` for each, the places `after` and `before`.

    The rows start at the end from which the page is taken. After the requested columns each row has the facts, its
    place, and the id of its parent. An empty page with facts is one row without a place.
    """

    children: ChildList
    after: bool
    before: bool
    backward: bool
    facts: tuple[str, ...]

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        children, references, columns = self.children, self.children.references, self.children.stored(columns)
        wanted = func.unnest(bindparam("ids", type_=ARRAY(Uuid()))).table_valued("id", name="wanted").render_derived()
        selected = [children.columns[name].label(name) for name in own_columns(columns, references)]
        descending = children.descending is not self.backward
        found = self._found(wanted, [*selected, children.place.label("place")], self._inside(), descending=descending)
        page = found.limit(bindparam("limit", type_=Integer())).lateral("selected")
        facts = self._facts(wanted).lateral("facts") if self.facts else None
        query = joined(page, columns, references, beside=wanted, facts=facts)
        place = page.c.place
        query = query.add_columns(place, wanted.c.id.label("place_id"))
        return query.order_by(place.desc() if descending else place.asc())

    def _inside(self) -> list[ColumnElement[bool]]:
        found = []
        if self.after:
            found.append(self._is_behind("after"))
        if self.before:
            found.append(self._is_ahead("before"))
        return found

    def _is_behind(self, cursor: str) -> ColumnElement[bool]:
        return self._compare(cursor, lt if self.children.descending else gt)

    def _is_ahead(self, cursor: str) -> ColumnElement[bool]:
        return self._compare(cursor, gt if self.children.descending else lt)

    def _compare(self, cursor: str, comparison: Callable[[Any, Any], Any]) -> ColumnElement[bool]:
        place = self.children.place
        compared: ColumnElement[bool] = comparison(place, bindparam(cursor, type_=place.type))
        return compared

    def _facts(self, wanted: FromClause) -> Select[Any]:
        descending = self.children.descending

        def earlier() -> ColumnElement[bool]:
            return self._is_any(wanted, ~self._is_behind("after"), descending=not descending)

        def later() -> ColumnElement[bool]:
            return self._is_any(wanted, ~self._is_ahead("before"), descending=descending)

        return facts_of(self.facts, {"earlier": earlier, "later": later})

    def _is_any(self, wanted: FromClause, place: ColumnElement[bool], *, descending: bool) -> ColumnElement[bool]:
        found = self._found(wanted, [self.children.columns["id"]], [place], descending=descending)
        return is_any(found.limit(ONE).correlate(wanted))

    def _found(
        self, wanted: FromClause, columns: Sequence[Any], place: Sequence[ColumnElement[bool]], *, descending: bool
    ) -> Select[Any]:
        children = self.children
        by = children.place.desc() if descending else children.place.asc()
        query = select(*columns).where(children.parent_id == wanted.c.id, *children.conditions, *place)
        return query.order_by(by)
