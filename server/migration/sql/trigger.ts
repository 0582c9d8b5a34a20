import { createHash } from 'node:crypto'
import { quoteIdentifier as q, quoteLiteral } from '../plan/names'
import type { PlannedColumn } from '../types'
import { assign } from './assign'
import type { Expr, Select } from './ast'
import { Refusal } from './cursor'
import type { Statement, Trigger } from './parse-trigger'
import { type Catalog, type Relation, translateSelect } from './query'
import { translate } from './translate'
import { asCondition, type Context, type KnownColumn, type Scope } from './types'

export interface TriggerNames {
  /** Schema and name of the function. */
  function: string
  name: string
  /** The body writes to a table with triggers: it must not fire itself again, as it doesn't in SQLite. */
  guarded: boolean
}

/** A trigger as a function of PL/pgSQL and the trigger that calls it for each row. */
export function translateTrigger(catalog: Catalog, trigger: Trigger, names: TriggerNames): string {
  const relation = catalog.relation(trigger.table)
  if (relation.table === undefined && trigger.time !== 'INSTEAD OF') throw new Refusal('It stands on a view.')
  const body: Body = { catalog, scope: rowScope(catalog, trigger, relation), queries: false }
  const when = trigger.when ? conditionOf(body, trigger.when) : null
  // PostgreSQL's WHEN has no subqueries.
  const inside = when !== null && body.queries ? when : null
  const lines = trigger.body.flatMap((statement) => translateStatement(body, statement))
  const result = trigger.time === 'AFTER' ? 'NULL' : trigger.event === 'DELETE' ? 'OLD' : 'NEW'
  const guard = `'holdfast.t_${createHash('sha256').update(names.function).digest('hex').slice(0, 12)}'`
  const code = [
    ...(inside === null ? [] : [`IF (${inside}) IS NOT TRUE THEN RETURN ${result}; END IF;`]),
    ...(names.guarded
      ? [
          `IF current_setting(${guard}, true) = 'on' THEN RETURN ${result}; END IF;`,
          `PERFORM set_config(${guard}, 'on', true);`,
        ]
      : []),
    ...lines,
    ...(names.guarded ? [`PERFORM set_config(${guard}, 'off', true);`] : []),
    `RETURN ${result};`,
  ]
  const text = code.map((line) => `  ${line}`).join('\n')
  if (text.includes('$holdfast$')) throw new Refusal('Its text can’t be quoted.')
  const of =
    trigger.of.length > 0
      ? ` OF ${trigger.of.map((name) => q(columnOf(relation, name).target)).join(', ')}`
      : ''
  const condition = when !== null && inside === null ? ` WHEN (${when})` : ''
  return (
    `CREATE FUNCTION ${names.function}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $holdfast$\n#variable_conflict use_column\nBEGIN\n${text}\nEND\n$holdfast$;\n` +
    `CREATE TRIGGER ${q(names.name)} ${trigger.time} ${trigger.event}${of} ON ${relation.sql} FOR EACH ROW${condition} EXECUTE FUNCTION ${names.function}()`
  )
}

interface Body {
  catalog: Catalog
  scope: Scope
  /** A subquery was met. */
  queries: boolean
}

const context = (scope: Scope): Context => ({ scope, stable: false })

function conditionOf(body: Body, expr: Expr, scope = body.scope): string {
  return asCondition(translate(context(scope), expr))
}

/** NEW and OLD, as far as the event has them. */
function rowScope(catalog: Catalog, trigger: Trigger, relation: Relation): Scope {
  const rows = new Map<string, KnownColumn[]>()
  if (trigger.event !== 'DELETE') rows.set('new', relation.columns('NEW.'))
  if (trigger.event !== 'INSERT') rows.set('old', relation.columns('OLD.'))
  const scope: Scope = {
    find(name, table) {
      const row = rows.get(table?.toLowerCase() ?? '')
      const column = row?.find((one) => one.source.toLowerCase() === name.toLowerCase())
      if (column && trigger.time === 'BEFORE' && table?.toLowerCase() === 'new')
        refuseEarly(trigger, relation, column)
      return column
    },
    query: (select) => translateSelect(catalog, select, scope),
  }
  return scope
}

/** Before the row is there, PostgreSQL knows no generated values, and SQLite no id that it will give. */
function refuseEarly(trigger: Trigger, relation: Relation, column: KnownColumn): void {
  const planned = relation.table?.planned
  const found = planned?.columns.find((one) => one.source === column.source)
  if (found?.generated) throw new Refusal('A BEFORE trigger reads a generated column.')
  if (trigger.event === 'INSERT' && found && planned?.identity?.column === found.target)
    throw new Refusal('A BEFORE INSERT trigger reads the id that is yet to be given.')
}

function columnOf(relation: Relation, name: string): PlannedColumn {
  const column = relation.table?.planned.columns.find(
    (one) => one.source.toLowerCase() === name.toLowerCase(),
  )
  if (!column) throw new Refusal(`${name} is not a column that is carried.`)
  return column
}

function translateStatement(body: Body, statement: Statement): string[] {
  if (statement.kind === 'select') return translateRaise(body, statement.select)
  const relation = body.catalog.relation(statement.table)
  if (!relation.table) throw new Refusal('It writes to a view.')
  const alias = q(statement.table)
  const columns = relation.columns(`${alias}.`)
  const scope: Scope = {
    find(name, table) {
      const lower = name.toLowerCase()
      const own = table === undefined || table.toLowerCase() === statement.table.toLowerCase()
      return (
        (own ? columns.find((one) => one.source.toLowerCase() === lower) : undefined) ??
        body.scope.find(name, table)
      )
    },
    query: (select) => translateSelect(body.catalog, select, scope),
  }
  const where = () =>
    'where' in statement && statement.where ? ` WHERE ${conditionOf(body, statement.where, scope)}` : ''
  if (statement.kind === 'delete') return [`DELETE FROM ${relation.sql} AS ${alias}${where()};`]
  if (statement.kind === 'update') {
    const set = statement.set.map(({ column, value }) => {
      const target = columnOf(relation, column)
      if (target.generated) throw new Refusal(`It writes the generated column ${column}.`)
      return `${q(target.target)} = ${assign(context(scope), translate(context(scope), value), target)}`
    })
    return [`UPDATE ${relation.sql} AS ${alias} SET ${set.join(', ')}${where()};`]
  }
  return [translateInsert(body, statement, relation)]
}

function translateInsert(
  body: Body,
  statement: Extract<Statement, { kind: 'insert' }>,
  relation: Relation,
): string {
  const { source, planned } = relation.table as NonNullable<Relation['table']>
  const names =
    statement.columns ?? source.columns.filter((column) => !column.generated).map((column) => column.name)
  const columns = names.map((name) => columnOf(relation, name))
  if (columns.some((column) => column.generated)) throw new Refusal('It writes a generated column.')
  const into = `INSERT INTO ${relation.sql} (${columns.map((column) => q(column.target)).join(', ')})`
  const { rows } = statement
  if (!Array.isArray(rows)) {
    const found = translateSelect(body.catalog, rows, body.scope)
    if (found.columns.length !== columns.length)
      throw new Refusal('It inserts another number of values than columns.')
    const values = columns.map((column, i) => {
      const value = { ...(found.columns[i] as KnownColumn), sql: `x.c${i}`, literal: undefined }
      return assign(context(body.scope), value, column)
    })
    return `${into} SELECT ${values.join(', ')} FROM (${found.sql}) AS x(${columns.map((_, i) => `c${i}`).join(', ')});`
  }
  const lines = rows.map((row) => {
    if (row.length !== columns.length) throw new Refusal('It inserts another number of values than columns.')
    const values = columns.map((column, i) => {
      const value = translate(context(body.scope), row[i] as Expr)
      // NULL for a rowid asks for the next one.
      if (value.kind === 'null' && planned.identity?.column === column.target) return 'DEFAULT'
      return assign(context(body.scope), value, column)
    })
    return `(${values.join(', ')})`
  })
  return `${into} VALUES ${lines.join(', ')};`
}

/** SELECT RAISE(…) WHERE …, and SELECT CASE WHEN … THEN RAISE(…) END. */
function translateRaise(body: Body, select: Select): string[] {
  const [column] = select.columns
  if (select.columns.length !== 1 || !column || column.star || select.compound.length > 0)
    throw new Refusal('A SELECT of its body does more than RAISE.')
  const { value } = column
  const where =
    select.from.length > 0 ? existing(body, select) : select.where ? conditionOf(body, select.where) : null
  if (value.kind === 'raise') {
    const raise = raiseOf(value)
    return where === null ? [raise] : [`IF ${where} THEN ${raise} END IF;`]
  }
  const branches = value.kind === 'case' && !value.operand ? value.branches : []
  const idle = value.kind === 'case' && (value.otherwise === undefined || isIdle(value.otherwise))
  if (branches.length === 0 || !idle || select.from.length > 0)
    throw new Refusal('A SELECT of its body does more than RAISE.')
  const lines = branches.map(({ when, result }, i) => {
    const action = result.kind === 'raise' ? raiseOf(result) : isIdle(result) ? 'NULL;' : null
    if (action === null) throw new Refusal('A SELECT of its body does more than RAISE.')
    return `${i === 0 ? 'IF' : 'ELSIF'} ${conditionOf(body, when)} THEN ${action}`
  })
  const checked = `${lines.join(' ')} END IF;`
  return [where === null ? checked : `IF ${where} THEN ${checked} END IF;`]
}

const isIdle = (expr: Expr) => expr.kind === 'null' || expr.kind === 'number' || expr.kind === 'text'

function existing(body: Body, select: Select): string {
  const one: Select = { ...select, columns: [{ value: { kind: 'number', text: '1' } }], orderBy: [] }
  return `EXISTS (${translateSelect(body.catalog, one, body.scope).sql})`
}

function raiseOf({ action, message }: Extract<Expr, { kind: 'raise' }>): string {
  if (action !== 'ABORT' && action !== 'ROLLBACK') throw new Refusal(`RAISE(${action}) is not translated.`)
  return `RAISE EXCEPTION USING MESSAGE = ${quoteLiteral(message)};`
}
