import type { Case } from './cases'

/** Lengths of the texts, [least, most] in characters. */
const LENGTHS = {
  name: [10, 24],
  address: [40, 100],
  note: [20, 160],
  description: [30, 70],
  payload: [80, 220],
} as const

const STATES = ['new', 'paid', 'packed', 'sent', 'returned']
const KINDS = ['view', 'search', 'click', 'basket', 'payment']

/** Four related tables: three million rows together, about 400 MB. */
export const shop: Case = {
  name: 'shop',
  schema: `CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, address TEXT, active BOOLEAN NOT NULL, balance REAL NOT NULL, created_at DATETIME NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), status TEXT NOT NULL, total REAL NOT NULL, note TEXT, placed_at DATETIME NOT NULL);
CREATE TABLE order_items (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id), sku TEXT NOT NULL, quantity INTEGER NOT NULL, price REAL NOT NULL, description TEXT NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), kind TEXT NOT NULL, payload TEXT NOT NULL, at INTEGER NOT NULL);`,
  indexes: `CREATE UNIQUE INDEX customers_email ON customers (email);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_placed ON orders (placed_at);
CREATE INDEX order_items_order ON order_items (order_id);
CREATE INDEX events_customer ON events (customer_id, at);`,
  tables: [
    {
      name: 'customers',
      rows: 300_000,
      target:
        'id bigint, email text, name text, address text, active boolean, balance double precision, created_at timestamp',
    },
    {
      name: 'orders',
      rows: 700_000,
      target:
        'id bigint, customer_id bigint, status text, total double precision, note text, placed_at timestamp',
    },
    {
      name: 'order_items',
      rows: 1_500_000,
      target:
        'id bigint, order_id bigint, sku text, quantity bigint, price double precision, description text',
    },
    {
      name: 'events',
      rows: 500_000,
      target: 'id bigint, customer_id bigint, kind text, payload text, at bigint',
    },
  ],
  row(table, id, { below, text }, counts) {
    const any = (name: string) => 1 + below(counts[name] as number)
    const moment = () =>
      new Date(1_577_836_800_000 + below(180_000_000) * 1000).toISOString().slice(0, 19).replace('T', ' ')
    switch (table) {
      case 'customers':
        return [
          id,
          `customer${id}@example.org`,
          text(LENGTHS.name),
          below(10) ? text(LENGTHS.address) : null,
          below(2),
          below(10_000_000) / 100,
          moment(),
        ]
      case 'orders':
        return [
          id,
          any('customers'),
          STATES[below(5)],
          below(1_000_000) / 100,
          below(3) ? null : text(LENGTHS.note),
          moment(),
        ]
      case 'order_items':
        return [
          id,
          any('orders'),
          `SKU-${100_000 + below(900_000)}`,
          1 + below(9),
          below(50_000) / 100,
          text(LENGTHS.description),
        ]
      default:
        return [
          id,
          any('customers'),
          KINDS[below(5)],
          text(LENGTHS.payload),
          1_577_836_800_000 + below(2_000_000_000) * 90,
        ]
    }
  },
}
