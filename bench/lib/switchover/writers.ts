import { openClient } from '../load'

export interface Written {
  /** Names of the connections that the console said it keeps. */
  acknowledged: string[]
  failures: unknown[]
  /** When each write ended, by performance.now(), and how long it took, ms. */
  taken: { at: number; took: number }[]
}

/** Clients that each write at their share of `rate`, and wait for every answer. */
export function startWriters(
  url: string,
  { key, rate, clients }: { key: string; rate: number; clients: number },
) {
  const client = openClient(url)
  const written: Written = { acknowledged: [], failures: [], taken: [] }
  const pace = (1000 * clients) / rate
  let stopping = false

  async function write(name: string): Promise<void> {
    const begun = performance.now()
    try {
      await client.send({
        ...{ method: 'POST', path: '/api/trpc/migration.createConnection' },
        headers: { authorization: `Bearer ${key}` },
        body: {
          name,
          host: 'db.example.org',
          port: 5432,
          database: 'd',
          user: 'u',
          ssl: true,
          password: 'p',
        },
      })
      written.acknowledged.push(name)
    } catch (error) {
      written.failures.push(error)
    }
    const at = performance.now()
    written.taken.push({ at, took: at - begun })
  }

  async function writer(number: number): Promise<void> {
    let due = performance.now() + (number * pace) / clients
    for (let n = 0; !stopping; n++) {
      const early = due - performance.now()
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
      await write(`${number}-${n}`)
      // After a wait the rate goes on; what was not written meanwhile is not made up for at once.
      due = Math.max(due + pace, performance.now())
    }
  }

  const all = Promise.all(Array.from({ length: clients }, (_, number) => writer(number)))
  return {
    async stop(): Promise<Written> {
      stopping = true
      await all
      client.close()
      return written
    },
  }
}
