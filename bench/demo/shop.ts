import { paced } from '@/bench/lib/pace'
import { random } from '@/db/testing/library'
import { openCache } from '@/server/cache'
import { systemClock } from '@/server/clock'
import { openPostgresDatabase } from '@/server/database'
import { openLog } from '@/server/log'
import type { Stack } from './stack'

const PRODUCTS = 5_000
const CUSTOMERS = 20_000
const ORDERS = 120_000

/** No index serves the orders of a customer: the console's advice finds that out. One index is there twice. */
const TABLES = [
  'CREATE SCHEMA shop',
  `CREATE TABLE shop.products (id int PRIMARY KEY, name text NOT NULL, price int NOT NULL, stock int NOT NULL)`,
  `CREATE TABLE shop.orders (
     id bigserial PRIMARY KEY, customer_id int NOT NULL, product_id int NOT NULL REFERENCES shop.products,
     state text NOT NULL, total int NOT NULL, placed_at timestamptz NOT NULL DEFAULT now(), note text NOT NULL)`,
  `INSERT INTO shop.products SELECT id, 'product ' || id, 100 + id % 900, 1000 FROM generate_series(1, ${PRODUCTS}) id`,
  `INSERT INTO shop.orders (customer_id, product_id, state, total, placed_at, note)
   SELECT id % ${CUSTOMERS}, 1 + id % ${PRODUCTS}, (ARRAY['open', 'paid', 'sent'])[1 + id % 3], id % 997,
     now() - id * interval '40 seconds', repeat('note ', 8)
   FROM generate_series(1, ${ORDERS}) id`,
  'CREATE INDEX orders_state ON shop.orders (state)',
  'CREATE INDEX orders_state_again ON shop.orders (state)',
  'ANALYZE shop.products, shop.orders',
]

const LONG_SCRIPT = 'local sum = 0 for step = 1, 1000000 do sum = sum + step end return sum'

/** A sample application on the console's own database and Redis: a bounded number of calls a second. Answers its end. */
export async function openShop(stack: Stack, failed: (error: unknown) => void): Promise<() => Promise<void>> {
  const { primary, replica, cluster, database: name } = stack
  for (const statement of TABLES) await primary.query(statement, [], name)
  const log = openLog('error')
  const database = openPostgresDatabase(
    { log },
    {
      ...{ host: primary.host, port: primary.port, database: name },
      ...{ user: primary.user, password: primary.password },
      replicas: [{ host: replica.host, port: replica.port }],
      ...{ min: 2, max: 8, acquireTimeout: 5_000, idleTimeout: 30_000 },
    },
  )
  const nodes = cluster.addresses.split(',')
  const cache = openCache({ clock: systemClock, log }, { cluster: { nodes }, prefix: 'shop:' })
  const below = random(11)
  /** Few are asked for often. */
  const popular = (count: number) => 1 + Math.floor(count * (below(1_000) / 1_000) ** 3)

  const products = cache.space('products')
  const prices = cache.space('prices')
  const carts = cache.space('carts')
  const read = (sql: string, params: unknown[]) => database.query(sql, params, { read: true })
  const work: [perSecond: number, work: () => Promise<unknown>][] = [
    [
      15,
      () => {
        const id = popular(PRODUCTS)
        return products.getOrSet(String(id), { ttl: 60_000, tags: ['catalogue'] }, async () => {
          const { rows } = await read('SELECT id, name, price, stock FROM shop.products WHERE id = $1', [id])
          return rows[0] ?? null
        })
      },
    ],
    [
      6,
      () =>
        prices.getOrSet(String(popular(400)), { ttl: 5_000, stale: 20_000 }, async () => {
          const { rows } = await read(
            'SELECT avg(price)::int AS price FROM shop.products WHERE id % 400 = $1',
            [below(400)],
          )
          return rows[0] ?? null
        }),
    ],
    [
      6,
      () =>
        carts.set(`customer-${below(500)}`, { items: [popular(PRODUCTS)], at: Date.now() }, { ttl: 120_000 }),
    ],
    [6, () => carts.get(`customer-${below(900)}`)],
    // Of the primary: who has just ordered wants to see it.
    [
      3,
      () =>
        database.query('SELECT id, state, total FROM shop.orders WHERE customer_id = $1', [below(CUSTOMERS)]),
    ],
    [
      2,
      () =>
        database.query(
          'INSERT INTO shop.orders (customer_id, product_id, state, total, note) VALUES ($1, $2, $3, $4, $5)',
          [below(CUSTOMERS), popular(PRODUCTS), 'open', below(900), 'from the demo'],
        ),
    ],
    [
      2,
      () => database.query('UPDATE shop.products SET stock = stock - 1 WHERE id = $1', [popular(PRODUCTS)]),
    ],
    [
      0.2,
      () =>
        read(
          `SELECT date_trunc('hour', placed_at) AS hour, state, sum(total) AS total FROM shop.orders
           WHERE placed_at > now() - interval '30 days' GROUP BY 1, 2 ORDER BY 1 DESC LIMIT 50`,
          [],
        ),
    ],
    [0.1, () => products.invalidate('catalogue')],
    [0.1, () => lockedOut()],
    // Long enough for Redis' slow log.
    [0.1, () => cluster.nodes[below(6)]?.command('EVAL', LONG_SCRIPT, 0) ?? Promise.resolve()],
  ]

  /** Two that want the same row: the second waits for a moment, as Sessions shows. */
  async function lockedOut(): Promise<void> {
    const holder = await database.client.connect()
    try {
      await holder.query('BEGIN')
      await holder.query('SELECT stock FROM shop.products WHERE id = 1 FOR UPDATE')
      const waiter = database.query('UPDATE shop.products SET stock = 1000 WHERE id = 1')
      await holder.query('SELECT pg_sleep(2)')
      await holder.query('COMMIT')
      await waiter
    } finally {
      holder.release()
    }
  }

  const going = new Set<Promise<unknown>>()
  const stops = work.map(([perSecond, begin]) =>
    paced(perSecond, () => {
      // A server that is behind gets no more than it can bear.
      if (going.size >= 60) return
      const one = begin().catch(failed)
      going.add(one)
      void one.finally(() => going.delete(one))
    }),
  )
  return async () => {
    for (const stop of stops) stop()
    await Promise.allSettled(going)
    await Promise.all([database.close(), cache.close()])
  }
}
