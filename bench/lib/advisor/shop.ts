import { SHOP_INDEXED } from './shop-indexed'
import { SHOP_SERVED } from './shop-served'
import type { Work } from './work'

const ROWS = {
  categories: 200,
  warehouses: 12,
  products: 20_000,
  customers: 1_000_000,
  orders: 1_200_000,
  order_items: 1_500_000,
  events: 1_000_000,
  sessions: 1_000_000,
}

const SCHEMA = `
CREATE TABLE categories (
  id int PRIMARY KEY, parent_id int REFERENCES categories, name text NOT NULL
);
CREATE TABLE warehouses (id int PRIMARY KEY, code text NOT NULL, country text NOT NULL);
CREATE TABLE products (
  id int PRIMARY KEY, sku text NOT NULL UNIQUE, category_id int NOT NULL, name text NOT NULL,
  price_cents int NOT NULL, active boolean NOT NULL
);
CREATE TABLE customers (
  id int PRIMARY KEY, email text NOT NULL UNIQUE, name text COLLATE "und-x-icu" NOT NULL,
  country text NOT NULL, city text NOT NULL, vip boolean NOT NULL, referrer_id int,
  created_at timestamptz NOT NULL, deleted_at timestamptz
);
CREATE TABLE orders (
  id bigint PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, total_cents int NOT NULL,
  currency text NOT NULL, channel text NOT NULL, warehouse_id smallint NOT NULL, coupon_code text,
  external_ref text NOT NULL, created_at timestamptz NOT NULL, shipped_at timestamptz
);
CREATE TABLE order_items (
  order_id bigint NOT NULL, line_no smallint NOT NULL, product_id int NOT NULL, quantity int NOT NULL,
  price_cents int NOT NULL, PRIMARY KEY (order_id, line_no)
);
CREATE TABLE events (
  id bigint PRIMARY KEY, account_id int NOT NULL, user_id int NOT NULL, kind text NOT NULL,
  payload text NOT NULL, created_at timestamptz NOT NULL
);
CREATE TABLE sessions (
  id bigint PRIMARY KEY, customer_id int NOT NULL, token_hash text NOT NULL, ip text NOT NULL,
  created_at timestamptz NOT NULL, last_seen_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);`

const FILL = `
SELECT setseed(0.42);
INSERT INTO categories
SELECT i, CASE WHEN i > 20 THEN 1 + i % 20 END, 'Category ' || i FROM generate_series(1, ${ROWS.categories}) i;
INSERT INTO warehouses
SELECT i, 'WH' || i, CASE WHEN i % 3 = 0 THEN 'DE' ELSE 'US' END FROM generate_series(1, ${ROWS.warehouses}) i;
INSERT INTO products
SELECT i, 'SKU-' || lpad(i::text, 6, '0'), 1 + i % 200, 'Product ' || i, 100 + (random() * 20000)::int, i % 10 > 0
  FROM generate_series(1, ${ROWS.products}) i;
INSERT INTO customers
SELECT i, 'user' || i || '@example.org',
       (ARRAY['Anna','Ben','Carla','David','Eva','Finn','Greta','Hugo','Ida','Jonas'])[1 + (r * 10)::int % 10]
         || ' ' || substr(md5(i::text), 1, 7),
       (ARRAY['US','US','US','US','DE','DE','FR','GB','IT','ES'])[1 + (c * 10)::int % 10],
       'City ' || (1 + (c * 10)::int % 10) || '-' || (d * 400)::int,
       v < 0.004, CASE WHEN v > 0.8 THEN 1 + (power(d, 2) * 900000)::int END,
       now() - (1000000 - i) * interval '90 seconds',
       CASE WHEN c BETWEEN 0.3 AND 0.306 THEN now() - d * interval '200 days' END
  FROM (SELECT i, random() r, random() c, random() d, random() v
          FROM generate_series(1, ${ROWS.customers}) i) s;
INSERT INTO orders
SELECT i, 1 + (power(c, 4) * 999999)::int, status, 100 + (power(t, 3) * 90000)::int,
       CASE WHEN r < 0.85 THEN 'USD' WHEN r < 0.97 THEN 'EUR' ELSE 'GBP' END,
       CASE WHEN t < 0.7 THEN 'web' WHEN t < 0.95 THEN 'app' ELSE 'pos' END,
       1 + (w * 11)::int, CASE WHEN r > 0.3 AND r < 0.33 THEN 'SAVE' || (w * 500)::int END,
       substr(md5('ref' || i), 1, 20), created,
       CASE WHEN status IN ('delivered', 'shipped') THEN created + (1 + t * 4) * interval '1 day' END
  FROM (SELECT i, c, t, r, w, now() - (${ROWS.orders} - i) * interval '26 seconds' AS created,
               CASE WHEN s < 0.0003 THEN 'refund_review' WHEN s < 0.004 THEN 'pending'
                    WHEN i > ${ROWS.orders} * 0.99 AND s < 0.4 THEN 'pending' WHEN s < 0.04 THEN 'cancelled'
                    WHEN s < 0.08 THEN 'shipped' ELSE 'delivered' END AS status
          FROM (SELECT i, random() c, random() t, random() r, random() w, random() s
                  FROM generate_series(1, ${ROWS.orders}) i) a) b;
INSERT INTO order_items
SELECT 1 + (i - 1) / 2, 1 + (i - 1) % 2, 1 + (power(random(), 2) * 19999)::int, 1 + (random() * 4)::int,
       100 + (random() * 20000)::int
  FROM generate_series(1, ${ROWS.order_items}) i;
INSERT INTO events
SELECT i, 1 + (power(random(), 2) * 1999)::int, 1 + (power(random(), 2) * 60000)::int,
       CASE WHEN k < 0.6 THEN 'page_view' WHEN k < 0.85 THEN 'click' WHEN k < 0.95 THEN 'login'
            WHEN k < 0.99 THEN 'purchase' WHEN k < 0.998 THEN 'password_reset' ELSE 'payment_failed' END,
       md5(i::text), now() - (${ROWS.events} - i) * interval '30 seconds'
  FROM (SELECT i, random() k FROM generate_series(1, ${ROWS.events}) i) s;
INSERT INTO sessions
SELECT i, 1 + (random() * 999999)::int, md5('token' || i),
       '10.' || (a * 200)::int || '.' || (b * 200)::int || '.7',
       created, created + b * interval '20 days', created + interval '30 days',
       CASE WHEN a < 0.05 THEN created + b * interval '10 days' END
  FROM (SELECT i, random() a, random() b, now() - (${ROWS.sessions} - i) * interval '40 seconds' + interval '1 day'
               - CASE WHEN i % 2 = 0 THEN interval '0' ELSE interval '2 hours' END AS created
          FROM generate_series(1, ${ROWS.sessions}) i) s;`

const INDEXES = `
CREATE INDEX products_category_id ON products (category_id);
CREATE INDEX events_created_at ON events (created_at);
CREATE INDEX events_account_id_created_at ON events (account_id, created_at);`

const WRITES: Work['writes'] = {
  customers: {
    key: 'id',
    texts: [
      `INSERT INTO customers (id, email, name, country, city, vip, referrer_id, created_at)
     VALUES ($1, 'new' || $1 || '@example.org', 'Anna New', 'DE', 'City 5-1', false, $1 % 1000, now())`,
      `UPDATE customers SET city = 'City 5-2' WHERE id = $1`,
    ],
  },
  orders: {
    key: 'id',
    texts: [
      `INSERT INTO orders (id, customer_id, status, total_cents, currency, channel, warehouse_id, external_ref, created_at)
     VALUES ($1, $1 % 900000, 'pending', $1 % 5000, 'USD', 'web', 1 + $1 % 12, md5($1::text), now())`,
      `UPDATE orders SET status = 'shipped', shipped_at = now() WHERE id = $1`,
    ],
  },
  order_items: {
    key: 'order_id',
    texts: [
      'INSERT INTO order_items (order_id, line_no, product_id, quantity, price_cents) VALUES ($1, 1, 1 + $1 % 20000, 1, 500)',
      'UPDATE order_items SET quantity = 2 WHERE order_id = $1 AND line_no = 1',
    ],
  },
  events: {
    key: 'id',
    texts: [
      `INSERT INTO events (id, account_id, user_id, kind, payload, created_at)
     VALUES ($1, 1 + $1 % 2000, 1 + $1 % 60000, 'click', md5($1::text), now())`,
    ],
  },
  sessions: {
    key: 'id',
    texts: [
      `INSERT INTO sessions (id, customer_id, token_hash, ip, created_at, last_seen_at, expires_at)
     VALUES ($1, $1 % 900000, md5($1::text), '10.1.2.7', now(), now(), now() + interval '30 days')`,
      'UPDATE sessions SET last_seen_at = now() WHERE id = $1',
    ],
  },
}

/**
 * A shop as applications keep it: skewed statuses, countries and customers, timestamps that follow the ids, cities
 * that follow countries, and the indexes that frameworks make by themselves and no others. The advisor was tuned on it.
 */
export const SHOP: Work = {
  name: 'shop',
  rows: ROWS,
  schema: SCHEMA,
  fill: FILL,
  indexes: INDEXES,
  statements: [...SHOP_INDEXED, ...SHOP_SERVED],
  writes: WRITES,
}
