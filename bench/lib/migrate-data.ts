import { rmSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { random } from '@/db/testing/library'

export const SEED = 20261124

/** Rows of each table for a scale of 1: three million together, about 400 MB. */
export const ROWS = { customers: 300_000, orders: 700_000, order_items: 1_500_000, events: 500_000 }

export const SCHEMA = `
CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, address TEXT, active BOOLEAN NOT NULL, balance REAL NOT NULL, created_at DATETIME NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), status TEXT NOT NULL, total REAL NOT NULL, note TEXT, placed_at DATETIME NOT NULL);
CREATE TABLE order_items (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id), sku TEXT NOT NULL, quantity INTEGER NOT NULL, price REAL NOT NULL, description TEXT NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), kind TEXT NOT NULL, payload TEXT NOT NULL, at INTEGER NOT NULL);
`

export const INDEXES = `
CREATE UNIQUE INDEX customers_email ON customers (email);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_placed ON orders (placed_at);
CREATE INDEX order_items_order ON order_items (order_id);
CREATE INDEX events_customer ON events (customer_id, at);
`

/** Lengths of the texts, [least, most] in characters. */
export const LENGTHS = {
  name: [10, 24],
  address: [40, 100],
  note: [20, 160],
  description: [30, 70],
  payload: [80, 220],
} as const

const WORDS =
  'amber basil cedar delta ember fjord grove harbour inlet juniper kelp lantern meadow north orchard pebble quartz river stone tundra umber vale willow yarrow'.split(
    ' ',
  )

/** Writes the file anew. The same seed and scale give the same rows. */
export function makeFile(file: string, scale: number): { bytes: number; rows: number } {
  rmSync(file, { force: true })
  const db = new Database(file)
  for (const pragma of ['journal_mode = OFF', 'synchronous = OFF', 'foreign_keys = OFF']) db.pragma(pragma)
  db.exec(SCHEMA)
  const below = random(SEED)
  // A long run of words from which texts are cut: quick to make, and no two alike for long.
  let prose = ''
  while (prose.length < 1 << 20) prose += `${WORDS[below(WORDS.length)]} `
  const text = ([least, most]: readonly [number, number]) => {
    const at = below(prose.length - most)
    return prose.slice(at, at + least + below(most - least + 1))
  }
  const moment = () =>
    new Date(1_577_836_800_000 + below(180_000_000) * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const many = (count: number) => Math.max(1, Math.round(count * scale))
  const counts = {
    customers: many(ROWS.customers),
    orders: many(ROWS.orders),
    order_items: many(ROWS.order_items),
    events: many(ROWS.events),
  }
  const fill = (table: keyof typeof ROWS, width: number, row: (id: number) => unknown[]) => {
    const insert = db.prepare(`INSERT INTO ${table} VALUES (${Array(width).fill('?').join(', ')})`)
    for (let id = 1; id <= counts[table]; id++) insert.run(...row(id))
  }
  db.transaction(() => {
    fill('customers', 7, (id) => [
      id,
      `customer${id}@example.org`,
      text(LENGTHS.name),
      below(10) ? text(LENGTHS.address) : null,
      below(2),
      below(10_000_000) / 100,
      moment(),
    ])
    const states = ['new', 'paid', 'packed', 'sent', 'returned']
    fill('orders', 6, (id) => [
      id,
      1 + below(counts.customers),
      states[below(5)],
      below(1_000_000) / 100,
      below(3) ? null : text(LENGTHS.note),
      moment(),
    ])
    fill('order_items', 6, (id) => [
      id,
      1 + below(counts.orders),
      `SKU-${100_000 + below(900_000)}`,
      1 + below(9),
      below(50_000) / 100,
      text(LENGTHS.description),
    ])
    const kinds = ['view', 'search', 'click', 'basket', 'payment']
    fill('events', 5, (id) => [
      id,
      1 + below(counts.customers),
      kinds[below(5)],
      text(LENGTHS.payload),
      1_577_836_800_000 + below(2_000_000_000) * 90,
    ])
  })()
  db.exec(INDEXES)
  db.close()
  return { bytes: statSync(file).size, rows: Object.values(counts).reduce((a, b) => a + b, 0) }
}
