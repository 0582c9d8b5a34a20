import type { Client } from 'pg'

/** What timing needs of a statement. */
export interface Timed {
  text: string
  values: unknown[][]
}

/** Runs of one set of values: at least this many, more while they are quick. */
const RUNS = { least: 3, most: 100, milliseconds: 250 }

/** Milliseconds that a statement takes: the best run of each set of values, added up. Writes are rolled back. */
export async function timeStatement(client: Client, { text, values }: Timed): Promise<number> {
  const writes = !/^\s*(SELECT|WITH)\b/i.test(text)
  let total = 0
  for (const set of values) {
    let best = Number.POSITIVE_INFINITY
    const began = performance.now()
    // The first run only warms the caches.
    for (let done = -1; done < RUNS.most; done++) {
      if (writes) await client.query('BEGIN')
      const start = performance.now()
      await client.query(text, set)
      const took = performance.now() - start
      if (writes) await client.query('ROLLBACK')
      if (done >= 0) best = Math.min(best, took)
      if (done >= RUNS.least && performance.now() - began > RUNS.milliseconds) break
    }
    total += best
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
