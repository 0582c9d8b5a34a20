import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { bits, plainDecimal } from '../transfer/render'
import type { PlannedColumn, PlannedTable } from '../types'
import { canonicalTime } from './forms'

/** Values of a row in canonical form, in the order of the plan's columns. */
export type CanonicalRow = (string | null)[]

/** Stands for NULL among canonical values, which never are this character alone but for a text that is; counts tell them apart. */
export const NULL_MARK = '\x01'

export const md5 = (data: Buffer | string) => createHash('md5').update(data).digest('hex')
/** The hash of no rows at all. */
export const EMPTY = md5('')

/** Functions for the few values whose canonical form SQL doesn't reach, or only with many copies of a large one. */
export function registerCanonical(db: Database.Database): void {
  db.function('holdfast_bits', { deterministic: true }, (value: unknown) => bits(Number(value)))
  db.function('holdfast_decimal', { deterministic: true }, (value: unknown) => plainDecimal(String(value)))
  db.function('holdfast_md5', { deterministic: true }, (value: unknown) => md5(value as Buffer))
  db.function('holdfast_time', { deterministic: true }, canonicalTime)
}

/** jsonb's own form of texts read from the source: numbers, order of keys and spaces as PostgreSQL keeps them. */
export async function canonicalJson(client: pg.Client, texts: (string | null)[]): Promise<(string | null)[]> {
  try {
    const { rows } = await client.query<{ text: string | null }>(
      'SELECT v::jsonb::text AS text FROM unnest($1::text[]) WITH ORDINALITY AS u(v, i) ORDER BY i',
      [texts],
    )
    return rows.map((row) => row.text)
  } catch (error) {
    if (!/^22/.test((error as { code?: string }).code ?? '')) throw error
    // A text that is no JSON stays as it is, so that it differs from whatever the target holds.
    if (texts.length === 1) return texts
    const half = texts.length >> 1
    return [
      ...(await canonicalJson(client, texts.slice(0, half))),
      ...(await canonicalJson(client, texts.slice(half))),
    ]
  }
}

/** Puts the jsonb columns of rows that were read from the source into PostgreSQL's form; they begin at `first`. */
export async function castJson(
  client: pg.Client,
  table: PlannedTable,
  rows: CanonicalRow[],
  first = 0,
): Promise<void> {
  for (const [i, column] of table.columns.entries()) {
    if (column.render !== 'jsonb') continue
    const texts = await canonicalJson(
      client,
      rows.map((row) => row[first + i] ?? null),
    )
    rows.forEach((row, n) => {
      row[first + i] = texts[n] ?? null
    })
  }
}

/** A row as the one text whose hash both engines agree on. */
export const wholeRow = (row: CanonicalRow) => row.map((value) => value ?? NULL_MARK).join('\x1f')

/** A canonical value as people read it: doubles are kept as their parts or bits (see render.ts). */
export function readable(column: PlannedColumn, value: string | null): string | null {
  if (value === null || column.render !== 'real') return value
  const parts = /^(-?\d+)_(-?\d+)$/.exec(value)
  if (parts) return String(Number(parts[1]) + Number(parts[2]) / 2 ** 62)
  return /^[0-9a-f]{16}$/.test(value) ? String(Buffer.from(value, 'hex').readDoubleBE()) : value
}
