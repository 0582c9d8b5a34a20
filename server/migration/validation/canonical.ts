import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { bits, plainDecimal } from '../transfer/render'

/** Stands for NULL among canonical values, which never are this character alone but for a text that is; counts tell them apart. */
export const NULL_MARK = '\x01'

export const md5 = (data: Buffer | string) => createHash('md5').update(data).digest('hex')
/** The hash of no rows at all. */
export const EMPTY = md5('')

/** Functions for the few doubles whose canonical form SQL arithmetic doesn't reach. */
export function registerCanonical(db: Database.Database): void {
  db.function('holdfast_bits', { deterministic: true }, (value: unknown) => bits(Number(value)))
  db.function('holdfast_decimal', { deterministic: true }, (value: unknown) => plainDecimal(String(value)))
}

/** jsonb's own form of texts read from the source: numbers, order of keys and spaces as PostgreSQL keeps them. */
export async function canonicalJson(client: pg.Client, texts: (string | null)[]): Promise<(string | null)[]> {
  const { rows } = await client.query<{ text: string | null }>(
    'SELECT v::jsonb::text AS text FROM unnest($1::text[]) WITH ORDINALITY AS u(v, i) ORDER BY i',
    [texts],
  )
  return rows.map((row) => row.text)
}
