"""Reads of rows, each in a transaction of its own."""

from persistence.pagination import Page
from persistence.queries.query import Paged, Query
from persistence.repositories.rows import RowT
from persistence.unit_of_work import UnitOfWork


async def read_rows(uow: UnitOfWork, model: type[RowT], asked: Query) -> list[RowT]:
    """The rows of a query."""
    async with uow:
        return await uow.rows(model, asked)


async def read_page(uow: UnitOfWork, model: type[RowT], paged: Paged) -> Page[RowT]:
    """The rows of a page."""
    async with uow:
        return await uow.page(model, paged)
