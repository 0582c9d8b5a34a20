import type { Client } from 'pg'
import { median } from '../measure'
import type { Writes } from './work'

const FIRST_NEW = 1_000_000_000
const ROWS = 40

/** Milliseconds of one row written and committed, for each kind of write: the median of a few dozen. */
export async function timeWrites(client: Client, table: string, { texts, key }: Writes): Promise<number[]> {
  const medians: number[] = []
  for (const text of texts) {
    const times: number[] = []
    for (let row = 0; row < ROWS; row++) {
      const start = performance.now()
      await client.query(text.replaceAll('$1', '$1::int'), [FIRST_NEW + row])
      times.push(performance.now() - start)
    }
    medians.push(median(times))
  }
  await client.query(`DELETE FROM ${table} WHERE ${key} >= ${FIRST_NEW} AND ${key} < ${FIRST_NEW + ROWS}`)
  return medians
}

/**
 * Takes away what deleted rows left: the same numbers are written again and again, and with autovacuum off each
 * write would go through more remains of the ones before, of which an index more makes more.
 */
export async function tidy(client: Client, table: string): Promise<void> {
  await client.query(`VACUUM (INDEX_CLEANUP ON) ${table}`)
}
