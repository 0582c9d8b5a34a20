import { getTableColumns, is, sql } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { q, type Tx, type Work } from '@/db/unit'
import type { AuditPlace, AuditRow, AuditStatement } from './chain'

/** What chaining adds to a statement. */
export type Link = AuditPlace & Pick<AuditRow, 'hash' | 'mac'>

/** Columns that are whole numbers; all others are text. */
const numbers: Record<string, string> = { seq: 'bigint', epoch: 'integer', time: 'bigint' }

/**
 * Readies rows for one INSERT, whatever their number, and answers what sends it together with the new head. What a
 * statement holds is written out now; the chain's links come last, since everybody waits while they are made.
 */
export function readied(tx: Tx, rows: readonly AuditStatement[]): (links: readonly Link[]) => Work<void> {
  return is(tx.tables.auditEvents, PgTable) ? asArrays(tx, rows) : asJson(tx, rows)
}

/** PostgreSQL takes an array a column, under one prepared name, and the head in the same round trip. */
function asArrays(tx: Tx, rows: readonly AuditStatement[]) {
  const { auditEvents, auditHead } = tx.tables
  const columns = Object.keys(getTableColumns(auditEvents)) as (keyof AuditRow)[]
  const [first] = rows
  const stated = new Map(
    columns.flatMap((column) =>
      first && column in first ? [[column, array(rows as readonly AuditRow[], column)]] : [],
    ),
  )

  return function* (links: readonly Link[]): Work<void> {
    const last = links.at(-1)
    if (!last) return
    const values = columns.map((column) => {
      const value = stated.get(column) ?? array(links as readonly AuditRow[], column)
      return sql`${value}::${sql.raw(numbers[column] ?? 'text')}[]`
    })
    const head = sql`update ${auditHead} set seq = ${last.seq}, hash = ${last.hash} where id = 1`
    const query = tx.db
      .with(tx.db.$with('head', {}).as(head))
      .insert(auditEvents)
      .select(sql`select * from unnest(${sql.join(values, sql`, `)})`)
    yield* q(query.prepare('audit_append').execute())
  }
}

/** A PostgreSQL array of one column, written out: the driver's own way quotes every value by itself, late. */
function array(rows: readonly AuditRow[], column: keyof AuditRow): string {
  const written = rows.map((row) => {
    const value = row[column]
    if (value === null) return 'NULL'
    if (typeof value === 'number') return value
    return `"${/["\\]/.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`
  })
  return `{${written.join(',')}}`
}

/** SQLite takes all rows as one JSON text, so that one statement serves every number of them. */
function asJson(tx: Tx, rows: readonly AuditStatement[]) {
  const { auditEvents, auditHead } = tx.tables
  const columns = Object.keys(getTableColumns(auditEvents)) as (keyof AuditRow)[]
  const parts = columns.map((_, at) => sql.raw(`value ->> ${at}`))

  return function* (links: readonly Link[]): Work<void> {
    const last = links.at(-1)
    if (!last) return
    const whole = rows.map((row, at) => {
      const all = { ...row, ...(links[at] as Link) }
      return columns.map((column) => all[column])
    })
    yield* q(
      tx.db
        .insert(auditEvents)
        .select(sql`select ${sql.join(parts, sql`, `)} from json_each(${JSON.stringify(whole)}) where true`),
    )
    yield* q(tx.db.update(auditHead).set({ seq: last.seq, hash: last.hash }).where(sql`${auditHead.id} = 1`))
  }
}
