import type { Client } from 'pg'
import { median } from './measure'

/** What an application writes to each table, one row and one commit at a time; $1 is a new number. */
const WRITES: Record<string, string[]> = {
  customers: [
    `INSERT INTO customers (id, email, name, country, city, vip, referrer_id, created_at)
     VALUES ($1, 'new' || $1 || '@example.org', 'Anna New', 'DE', 'City 5-1', false, $1 % 1000, now())`,
    `UPDATE customers SET city = 'City 5-2' WHERE id = $1`,
  ],
  orders: [
    `INSERT INTO orders (id, customer_id, status, total_cents, currency, channel, warehouse_id, external_ref, created_at)
     VALUES ($1, $1 % 900000, 'pending', $1 % 5000, 'USD', 'web', 1 + $1 % 12, md5($1::text), now())`,
    `UPDATE orders SET status = 'shipped', shipped_at = now() WHERE id = $1`,
  ],
  order_items: [
    'INSERT INTO order_items (order_id, line_no, product_id, quantity, price_cents) VALUES ($1, 1, 1 + $1 % 20000, 1, 500)',
    'UPDATE order_items SET quantity = 2 WHERE order_id = $1 AND line_no = 1',
  ],
  events: [
    `INSERT INTO events (id, account_id, user_id, kind, payload, created_at)
     VALUES ($1, 1 + $1 % 2000, 1 + $1 % 60000, 'click', md5($1::text), now())`,
  ],
  sessions: [
    `INSERT INTO sessions (id, customer_id, token_hash, ip, created_at, last_seen_at, expires_at)
     VALUES ($1, $1 % 900000, md5($1::text), '10.1.2.7', now(), now(), now() + interval '30 days')`,
    'UPDATE sessions SET last_seen_at = now() WHERE id = $1',
  ],
}

const KEYS: Record<string, string> = { order_items: 'order_id' }
const FIRST_NEW = 1_000_000_000
const ROUNDS = 3
const ROWS = 40
const BULK = 5_000

/** Milliseconds of a row written and committed: for each kind of write the best median of a few rounds. */
export async function timeWrites(client: Client, table: string): Promise<number[]> {
  const writes = WRITES[table]
  if (!writes) throw new Error(`What is written to ${table} is not known here.`)
  const best = writes.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, text] of writes.entries()) {
      const times: number[] = []
      for (let row = 0; row < ROWS; row++) {
        const start = performance.now()
        await client.query(text.replaceAll('$1', '$1::int'), [FIRST_NEW + row])
        times.push(performance.now() - start)
      }
      best[kind] = Math.min(best[kind] as number, median(times))
    }
    await client.query(`DELETE FROM ${table} WHERE ${KEYS[table] ?? 'id'} >= ${FIRST_NEW}`)
  }
  return best
}

/** Milliseconds a row when many are inserted by one statement: what the index alone costs, without commits. */
export async function timeBulk(client: Client, table: string): Promise<number> {
  const [insert = ''] = WRITES[table] ?? []
  const text = insert
    .replaceAll('$1', 'n')
    .replace(
      /VALUES \(([\s\S]*)\)$/,
      `SELECT $1 FROM generate_series(${FIRST_NEW}, ${FIRST_NEW + BULK - 1}) n`,
    )
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    await client.query('BEGIN')
    const start = performance.now()
    await client.query(text)
    best = Math.min(best, (performance.now() - start) / BULK)
    await client.query('ROLLBACK')
  }
  return best
}
