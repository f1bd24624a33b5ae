"""The tables of a database as a server of another version finds them, and what a migration takes away from it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import text

from persistence.database import Database

Used = Mapping[str, frozenset[str]]
"""The columns that a version of the server reads and writes, by table."""

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       CASE WHEN a.attidentity <> '' THEN 'NULL' ELSE pg_get_expr(d.adbin, d.adrelid) END
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), pg_get_expr(k.conbin, k.conrelid),
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey))
FROM pg_class AS c JOIN pg_constraint AS k ON k.conrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND k.contype IN ('c', 'f', 'x')
"""
_UNIQUE = """
SELECT c.relname, regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING', ''),
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0
             AND (a.attnum = ANY (i.indkey) OR EXISTS (SELECT FROM pg_depend AS d  -- of expressions and conditions
                  WHERE d.objid = i.indexrelid AND d.refobjid = c.oid AND d.refobjsubid = a.attnum)))
FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text, pg_get_function_result(p.oid) FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype <> 'trigger'::regtype
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
_LITERAL = re.compile(r"'([^']*)'::[\w ]+(, )?")
_ACTION = re.compile(r"ON DELETE \w+")


@dataclass(frozen=True)
class Column:
    """A column. *default* is an expression; NULL for a number that the database gives itself."""

    type: str
    nullable: bool
    default: str | None


@dataclass(frozen=True)
class Rule:
    """A constraint or a unique index: its definition, the columns that it reads, and the condition of a CHECK."""

    definition: str
    columns: frozenset[str]
    condition: str | None = None


@dataclass
class Relation:
    """A table or a view. Constraints have their names as keys, unique indexes their definitions."""

    columns: dict[str, Column] = field(default_factory=dict)
    constraints: dict[str, Rule] = field(default_factory=dict)
    unique: dict[str, Rule] = field(default_factory=dict)


@dataclass
class Catalogue:
    """All tables and views, and the results of all functions by signature."""

    relations: dict[str, Relation] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)


async def refused_rows(database: Database, used: Used) -> list[str]:
    """The conditions that fail for a row without the columns that a version does not know, one line for each."""
    catalogue = await catalogue_of(database)
    lines = []
    async with database.connect() as connection:
        for table, columns in sorted(used.items()):
            relation = catalogue.relations[table]
            row = ", ".join(
                f'CAST({"NULL" if name in columns else each.default or "NULL"} AS {each.type}) AS "{name}"'
                for name, each in relation.columns.items()
            )
            for name, rule in sorted(relation.constraints.items()):
                holds = f"SELECT ({rule.condition}) IS NOT FALSE FROM (SELECT {row}) AS new_row"  # noqa: S608 - of the catalogue
                if rule.condition and not rule.columns <= columns and not await connection.scalar(text(holds)):
                    lines.append(f"{table}: the constraint {name} refuses rows of the server: {rule.definition}")
    return lines


async def catalogue_of(database: Database) -> Catalogue:
    """What a database has now."""
    found = Catalogue()
    async with database.connect() as connection:
        for table, column, kind, nullable, default in await connection.execute(text(_COLUMNS)):
            relation = found.relations.setdefault(table, Relation())
            relation.columns[column] = Column(kind, nullable, default)
        for table, name, definition, condition, columns in await connection.execute(text(_CONSTRAINTS)):
            found.relations[table].constraints[name] = Rule(definition, frozenset(columns), condition)
        for table, definition, columns in await connection.execute(text(_UNIQUE)):
            found.relations[table].unique[definition] = Rule(definition, frozenset(columns))
        for signature, result in await connection.execute(text(_FUNCTIONS)):
            found.functions[signature] = result
    return found


def breaks(before: Catalogue, after: Catalogue, used: Used) -> list[str]:
    """What a server that uses these tables and columns of *before* cannot do with *after*, one line for each.

    It reads and writes the used columns, and inserts rows without the others.
    """
    lines: list[str] = []
    for table, columns in sorted(used.items()):
        if table not in after.relations:
            lines.append(f"{table} is gone")
            continue
        old, new = before.relations[table], after.relations[table]
        lines += [f"{table}.{line}" for line in _columns(old, new, columns)]
        lines += [f"{table}: {line}" for line in (*_constraints(old, new, columns), *_unique(old, new, columns))]
    return [*lines, *_functions(before, after)]


def _columns(old: Relation, new: Relation, used: frozenset[str]) -> Iterator[str]:
    for name in sorted(used):
        column, is_now = old.columns[name], new.columns.get(name)
        if is_now is None:
            yield f"{name} is gone"
            continue
        if is_now.type != column.type:  # also a wider one: sessions of a pooler keep statements that return the old one
            yield f"{name} was {column.type} and is {is_now.type}"
        if column.nullable and not is_now.nullable:
            yield f"{name} must not be null any more"
        if column.default is not None and is_now.default is None:
            yield f"{name} has no default any more"
    for name in sorted(new.columns.keys() - used):
        column = new.columns[name]
        if not column.nullable and column.default is None:
            yield f"{name} is required, and the server does not know it"


def _constraints(old: Relation, new: Relation, used: frozenset[str]) -> Iterator[str]:
    for name, rule in sorted(new.constraints.items()):
        known = old.constraints.get(name)
        if rule.columns <= used and rule != known and not (known and _allows_more(known.definition, rule.definition)):
            yield f"the constraint {name} is new: {rule.definition}"
    for name, rule in sorted(old.constraints.items()):
        # Without the action, the server's own deletions fail or leave rows behind.
        if name not in new.constraints and _ACTION.search(rule.definition):
            yield f"the constraint {name} is gone: {rule.definition}"


def _unique(old: Relation, new: Relation, used: frozenset[str]) -> Iterator[str]:
    for definition in sorted(old.unique.keys() - new.unique.keys()):
        if old.unique[definition].columns <= used:
            yield f"the unique index is gone, which ON CONFLICT needs: {definition}"
    for definition in sorted(new.unique.keys() - old.unique.keys()):
        if new.unique[definition].columns <= used:
            yield f"a unique index is new: {definition}"


def _functions(before: Catalogue, after: Catalogue) -> Iterator[str]:
    for signature, result in sorted(before.functions.items()):
        if after.functions.get(signature) != result:
            yield f"the function {signature} is gone, or returns another type than {result}"


def _allows_more(old: str, new: str) -> bool:
    """Whether the new definition is the old one with more values in its list."""
    values = [{value for value, _ in _LITERAL.findall(each)} for each in (old, new)]
    return _LITERAL.sub("", old) == _LITERAL.sub("", new) and values[0] < values[1]
