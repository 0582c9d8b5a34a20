import { quoteIdentifier } from '../plan/names'
import type { SourceTable } from '../source/source'
import type { PlannedTable } from '../types'
import type { Expr, Select, Source } from './ast'
import { fold } from './compare'
import { Refusal } from './cursor'
import { isGrouped, usesAggregate } from './grouping'
import { resolveOrder, translateOrder } from './order'
import { translate } from './translate'
import { asCondition, asNumber, type Context, type KnownColumn, type Scope, type Typed } from './types'

/** A table or view that is carried. */
export interface Relation {
  /** Schema and name in PostgreSQL. */
  sql: string
  /** Source names of the primary key, which decides every other column of a group. */
  key: string[]
  /** Column names to put after the alias. */
  named?: string[]
  /** Absent for a view. */
  table?: { source: SourceTable; planned: PlannedTable }
  columns(prefix: string): KnownColumn[]
}

export interface Catalog {
  /** Throws a Refusal for one that is not carried. */
  relation(name: string): Relation
}

export interface Query {
  sql: string
  columns: Typed[]
  /** By which a query around it knows them; null: by no name. */
  names: (string | null)[]
}

/** A source of FROM with the columns that names find there. */
export interface Entry {
  source: Source
  relation: Relation
  columns: KnownColumn[]
}

/** A plain SELECT as PostgreSQL's that gives the same rows. `outer` holds the names around a subquery. */
export function translateSelect(around: Catalog, select: Select, outer?: Scope): Query {
  const catalog = select.with ? withNamed(around, select.with, outer) : around
  const first = translateCore(catalog, select, outer)
  let sql = first.sql
  for (const { operator, select: next } of select.compound) {
    const other = translateCore(catalog, next, outer)
    alike(first.columns, other.columns, operator)
    sql += ` ${operator} ${other.sql}`
  }
  const order = translateOrder(select, first)
  return { sql: sql + order + translateLimit(select), columns: first.columns, names: first.names }
}

/** Named queries stand where they are used: none of them refers to itself. */
function withNamed(catalog: Catalog, named: NonNullable<Select['with']>, outer?: Scope): Catalog {
  const made = new Map<string, Relation | null>()
  const inner: Catalog = {
    relation(name) {
      const found = made.get(name.toLowerCase())
      if (found === null) throw new Refusal(`${name} refers to itself.`)
      return found ?? catalog.relation(name)
    },
  }
  for (const { name, columns, query } of named) {
    made.set(name.toLowerCase(), null)
    const found = translateSelect(inner, query, outer)
    made.set(name.toLowerCase(), derived({ ...found, names: columns ?? found.names }))
  }
  return inner
}

/** A query that others select from. */
function derived({ sql, columns, names }: Query): Relation {
  const named = columns.map((_, i) => names[i] ?? `column ${i + 1}`)
  if (new Set(named.map((name) => name.toLowerCase())).size < named.length)
    throw new Refusal('Two columns of a query have one name.')
  return {
    sql: `(${sql})`,
    key: [],
    named,
    columns: (prefix) => columns.map((column, i) => shownAs(column, named[i] as string, prefix)),
  }
}

/** A column as it is known to whoever selects from the view or query that shows it. */
export function shownAs(column: Typed, name: string, prefix: string): KnownColumn {
  const { literal: _, explicit: __, atLeast: ___, whole: ____, ...value } = column
  return {
    ...value,
    source: name,
    sql: `${prefix}${quoteIdentifier(name)}`,
    hidden: undefined,
    expanded: undefined,
  }
}

interface Core extends Query {
  context: Context
  outputs: { value: Expr | null; alias?: string }[]
}

function translateCore(catalog: Catalog, select: Select, outer?: Scope): Core {
  const entries = select.from.map((source): Entry => {
    const relation = source.query
      ? derived(translateSelect(catalog, source.query, outer))
      : catalog.relation(source.table)
    return { source, relation, columns: relation.columns(`${quoteIdentifier(source.alias)}.`) }
  })
  const scope = scopeOf(entries, outer, (inner) => translateSelect(catalog, inner, scope))
  const context: Context = { scope, stable: false, aggregates: true }
  const outputs: Core['outputs'] = []
  const columns: Typed[] = []
  const names: Query['names'] = []
  for (const column of select.columns) {
    if (column.star) {
      for (const found of starColumns(entries, column.table)) {
        outputs.push({ value: null })
        columns.push(found)
        names.push(found.source)
      }
    } else {
      outputs.push({ value: column.value, ...(column.alias !== undefined && { alias: column.alias }) })
      columns.push(output(translate(context, column.value)))
      names.push(column.alias ?? (column.value.kind === 'name' ? column.value.name : null))
    }
  }
  const groups = select.groupBy.map((group) => resolveOrder(group, outputs, scope) ?? group)
  const aggregated = groups.length > 0 || outputs.some(({ value }) => value && usesAggregate(value))
  if (aggregated) {
    const known = isGrouped(groups, entries, scope)
    if (outputs.some(({ value }) => !value || !known(value)) || (select.having && !known(select.having)))
      throw new Refusal('It shows a column that is neither grouped by nor in an aggregate.')
  }
  if (select.distinct && columns.some((column) => column.collation))
    throw new Refusal('DISTINCT under a collation.')
  const where = { ...context, aggregates: false }
  const clauses = [
    `SELECT ${select.distinct ? 'DISTINCT ' : ''}${columns.map((column) => column.sql).join(', ')}`,
    ...(entries.length > 0 ? [`FROM ${entries.map((entry, i) => join(entry, i, where)).join(' ')}`] : []),
    ...(select.where ? [`WHERE ${asCondition(translate(where, select.where))}`] : []),
    ...(groups.length > 0 ? [`GROUP BY ${groups.map((group) => groupKey(where, group)).join(', ')}`] : []),
    ...(select.having ? [`HAVING ${asCondition(translate(context, select.having))}`] : []),
  ]
  return { sql: clauses.join(' '), columns, names, context, outputs }
}

/** A truth that is computed is 0 or 1 for whoever reads it, as in SQLite. */
function output(value: Typed): Typed {
  if (value.kind === 'boolean' && value.affinity === undefined) return asNumber(value)
  if (value.kind === 'null') return { sql: 'NULL::text', kind: 'other' }
  return value
}

function groupKey(context: Context, group: Expr): string {
  const value = translate(context, group)
  if (value.collation) throw new Refusal('GROUP BY under a collation.')
  if (value.literal !== undefined) throw new Refusal('GROUP BY a constant.')
  return value.sql
}

function join(entry: Entry, at: number, context: Context): string {
  const { source, relation } = entry
  const list = relation.named ? `(${relation.named.map(quoteIdentifier).join(', ')})` : ''
  const named = `${relation.sql} AS ${quoteIdentifier(source.alias)}${list}`
  if (at === 0) return named
  if (source.using) {
    const names = source.using.map((name) => plainName(find([entry], name)))
    return `${source.join === 'LEFT' ? 'LEFT' : 'INNER'} JOIN ${named} USING (${names.join(', ')})`
  }
  const on = source.on ? asCondition(translate(context, source.on)) : null
  if (source.join === 'LEFT') return `LEFT JOIN ${named} ON ${on ?? 'true'}`
  return on ? `INNER JOIN ${named} ON ${on}` : `CROSS JOIN ${named}`
}

function plainName(column: KnownColumn | undefined): string {
  if (!column) throw new Refusal('USING names a column that is not carried.')
  return column.sql.slice(column.sql.indexOf('.') + 1)
}

function find(entries: readonly Entry[], name: string): KnownColumn | undefined {
  const lower = name.toLowerCase()
  return entries.flatMap(({ columns }) =>
    columns.filter((column) => column.source.toLowerCase() === lower),
  )[0]
}

function scopeOf(
  entries: readonly Entry[],
  outer: Scope | undefined,
  query: NonNullable<Scope['query']>,
): Scope {
  const joined = new Set(
    entries.flatMap(({ source }) => source.using ?? []).map((name) => name.toLowerCase()),
  )
  return {
    query,
    find(name, table) {
      const lower = table?.toLowerCase()
      const among =
        lower === undefined ? entries : entries.filter(({ source }) => source.alias.toLowerCase() === lower)
      const found = among.filter((entry) => find([entry], name))
      if (found.length > 1 && !joined.has(name.toLowerCase()))
        throw new Refusal(`${name} is a column of several tables.`)
      return find(found, name) ?? outer?.find(name, table)
    },
  }
}

function starColumns(entries: readonly Entry[], table: string | undefined): KnownColumn[] {
  const lower = table?.toLowerCase()
  const among =
    lower === undefined ? entries : entries.filter(({ source }) => source.alias.toLowerCase() === lower)
  if (among.length === 0) throw new Refusal('* of a table that is not there.')
  return among.flatMap(({ source, columns }) => {
    const using = lower === undefined ? (source.using ?? []).map((name) => name.toLowerCase()) : []
    return columns.filter((column) => !column.hidden && !using.includes(column.source.toLowerCase()))
  })
}

function alike(first: readonly Typed[], other: readonly Typed[], operator: string): void {
  const same = first.every((column, i) => {
    const match = other[i]
    return match?.kind === column.kind && match.shape === column.shape && column.kind !== 'other'
  })
  if (!same || first.length !== other.length) throw new Refusal(`${operator} of columns of different kinds.`)
  if ([...first, ...other].some((column) => column.collation))
    throw new Refusal(`${operator} under a collation.`)
}

function translateLimit({ limit, offset }: Select): string {
  const count = (expr: Expr): string => {
    if (expr.kind === 'number' && /^\d+$/.test(expr.text)) return expr.text
    throw new Refusal('LIMIT with a computed number.')
  }
  const unlimited = !limit || (limit.kind === 'unary' && limit.operator === '-')
  return `${unlimited ? '' : ` LIMIT ${count(limit)}`}${offset ? ` OFFSET ${count(offset)}` : ''}`
}

/** A text in the form in which it is ordered by its bytes, after its collation. */
export function orderKey(value: Typed): string {
  return value.kind === 'text' ? `${fold(value.sql, value.collation)} COLLATE "C"` : value.sql
}
