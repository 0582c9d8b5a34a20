import type { Client } from 'pg'
import { median } from '../measure'

/** What timing needs of a statement. */
export interface Timed {
  /** Prepared by this name, once a connection. */
  name?: string
  text: string
  values: unknown[][]
}

/** Runs of one set of values: at least so many, more while they are quick. */
interface Runs {
  least: number
  most: number
  milliseconds: number
}

/** Milliseconds that a statement takes: the best run of each set of values, added up. Writes are rolled back. */
export function timeStatement(client: Client, statement: Timed): Promise<number> {
  const runs = { least: 3, most: 100, milliseconds: 250 }
  return timed(client, statement, runs, (times) => Math.min(...times.slice(1)))
}

/** One quick sample of the same, to be compared with many others: medians of each set of values, added up. */
export function sampleStatement(client: Client, statement: Timed): Promise<number> {
  return timed(client, statement, { least: 1, most: 100, milliseconds: 20 }, median)
}

async function timed(
  client: Client,
  { name, text, values }: Timed,
  { least, most, milliseconds }: Runs,
  figure: (times: number[]) => number,
): Promise<number> {
  const writes = !/^\s*(SELECT|WITH)\b/i.test(text)
  let total = 0
  for (const set of values) {
    const times: number[] = []
    const began = performance.now()
    while (times.length <= most) {
      if (writes) await client.query('BEGIN')
      const start = performance.now()
      await client.query({ name, text, values: set })
      times.push(performance.now() - start)
      if (writes) await client.query('ROLLBACK')
      if (times.length > least && performance.now() - began > milliseconds) break
    }
    total += figure(times)
  }
  return total
}

/** The plans of a statement with each set of its values, without figures: equal plans take equal time. */
export async function planShape(client: Client, { text, values }: Timed): Promise<string> {
  const plans: string[] = []
  for (const set of values) {
    const { rows } = await client.query(`EXPLAIN (COSTS OFF) ${text}`, set)
    plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
  }
  return plans.join('\n')
}

/** Makes an index 'table (columns) …', runs `work`, and drops the index again. */
export async function withIndex<T>(client: Client, index: string, work: () => Promise<T>): Promise<T> {
  await client.query(`CREATE INDEX bench_candidate ON ${index}`)
  try {
    return await work()
  } finally {
    await client.query('DROP INDEX bench_candidate')
  }
}
