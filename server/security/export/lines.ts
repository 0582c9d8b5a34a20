import { is, type SQL, sql } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import type { Tables } from '@/db/tables'

export type ExportFormat = 'ndjson' | 'csv'

/** Every column of an event, in the order in which exports have them: what its hash stands for, and the hash. */
const columns = [
  'seq',
  'epoch',
  'time',
  'event',
  'outcome',
  'severity',
  'actor',
  'actorId',
  'target',
  'reason',
  'source',
  'address',
  'userAgent',
  'sessionId',
  'requestId',
  'before',
  'after',
  'keyId',
  'previousHash',
  'hash',
  'mac',
] as const

const numbers: readonly string[] = ['seq', 'epoch'] satisfies (typeof columns)[number][]

/** The first line of a CSV file; NDJSON has none. */
export const headerOf = (format: ExportFormat) => (format === 'csv' ? `${columns.join(',')}\r\n` : '')

/**
 * One line for one event, written by the database itself: values cross the wire once, as they will stand in the
 * file, and the event loop has nothing to do with them.
 */
export function lineOf({ auditEvents: at }: Pick<Tables, 'auditEvents'>, format: ExportFormat): SQL<string> {
  return format === 'csv' ? csvLine(at) : jsonLine(at)
}

/** The row as it is hashed, by the names that the verification knows; `time` is in UTC milliseconds. */
function jsonLine(at: Tables['auditEvents']): SQL<string> {
  if (is(at, PgTable)) {
    const fields = columns.map((name) => sql`${at[name]} as ${sql.identifier(name)}`)
    return sql`(select row_to_json(line)::text || ${sql.raw(`E'\\n'`)} from (select ${sql.join(fields, sql`, `)}) line)`
  }
  const fields = columns.map((name) => sql`${sql.raw(`'${name}'`)}, ${at[name]}`)
  return sql`json_object(${sql.join(fields, sql`, `)}) || char(10)`
}

/** After RFC 4180: every text in quotes, null as nothing at all. `time` is after ISO 8601, in UTC. */
function csvLine(at: Tables['auditEvents']): SQL<string> {
  const postgres = is(at, PgTable)
  const fields = columns.map((name) => {
    if (name === 'time') return isoTime(at.time, postgres)
    return numbers.includes(name) ? sql`${at[name]}` : csvText(sql`${at[name]}`, postgres)
  })
  return sql`concat_ws(',', ${sql.join(fields, sql`, `)}) || ${sql.raw(`'\r\n'`)}`
}

function isoTime(time: Tables['auditEvents']['time'], postgres: boolean): SQL {
  return postgres
    ? sql`to_char(timestamp '1970-01-01' + ${time} * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
    : sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${time} / 1000.0, 'unixepoch')`
}

/** What makes a spreadsheet take a text for a formula, at its start or after blanks (OWASP, CSV Injection). */
const formula = sql.raw(`(${[...'\t\n\r+-=@＋－＝＠'].map((sign) => sign.codePointAt(0)).join(', ')})`)

/** The first character is judged by its number: that takes half the time of comparing texts. */
function csvText(value: SQL, postgres: boolean): SQL {
  const first = (text: SQL) => (postgres ? sql`ascii(${text})` : sql`unicode(${text})`)
  const blank = sql`${first(value)} = 32 and ${first(sql`ltrim(${value})`)} in ${formula}`
  const opened = sql`case when ${first(value)} in ${formula} or (${blank}) then '"''' else '"' end`
  return sql`coalesce(${opened} || replace(${value}, '"', '""') || '"', '')`
}
