import { indexed, type Labelled } from './work'

/** Statements of the shop that want an index. */
export const SHOP_INDEXED: Labelled[] = [
  // Equality on one column.
  indexed(
    'orders of a customer',
    ['orders (customer_id)'],
    'SELECT id, status, total_cents, created_at FROM orders WHERE customer_id = $1',
    [[700_000], [20_000]],
  ),
  indexed(
    'order by reference of the payment provider',
    ['orders (external_ref)'],
    'SELECT * FROM orders WHERE external_ref = $1',
    [['a796e3593c0c099946fc'], ['1c144f31c36de80484b9']],
  ),
  indexed(
    'orders with a coupon',
    ['orders (coupon_code)', 'orders (coupon_code) WHERE coupon_code IS NOT NULL'],
    'SELECT id, total_cents FROM orders WHERE coupon_code = $1',
    [['SAVE100'], ['SAVE42']],
  ),
  indexed(
    'session of a token',
    ['sessions (token_hash)'],
    'SELECT id, customer_id, expires_at FROM sessions WHERE token_hash = $1',
    [['7843821be05221edfc50cf20940beef1']],
    90_000,
  ),
  indexed(
    'live sessions of a customer',
    ['sessions (customer_id)', 'sessions (customer_id) WHERE revoked_at IS NULL'],
    'SELECT id, ip, last_seen_at FROM sessions WHERE customer_id = $1 AND revoked_at IS NULL',
    [[5], [400_000]],
  ),
  indexed(
    'customers somebody referred',
    ['customers (referrer_id)', 'customers (referrer_id) WHERE referrer_id IS NOT NULL'],
    'SELECT id, name FROM customers WHERE referrer_id = $1 ORDER BY id',
    [[17], [500_000]],
  ),
  indexed(
    'customer by e-mail in any case',
    ['customers (lower(email))'],
    'SELECT id, name FROM customers WHERE lower(email) = lower($1)',
    [['User77@example.org']],
  ),
  indexed(
    'sales of a product',
    ['order_items (product_id)'],
    'SELECT count(*), sum(quantity), avg(price_cents) FROM order_items WHERE product_id = $1',
    [[15_000], [9_000]],
  ),
  // Several equalities, IN and arrays.
  indexed(
    'customers of a city',
    ['customers (city)', 'customers (country, city)', 'customers (city, country)'],
    'SELECT id, name, email FROM customers WHERE country = $1 AND city = $2',
    [
      ['FR', 'City 7-12'],
      ['US', 'City 1-300'],
    ],
  ),
  indexed(
    'orders of three customers',
    ['orders (customer_id)'],
    'SELECT id, customer_id, total_cents FROM orders WHERE customer_id IN ($1, $2, $3)',
    [[700_000, 700_001, 650_000]],
  ),
  indexed(
    'orders of many customers',
    ['orders (customer_id)'],
    'SELECT id, customer_id, total_cents FROM orders WHERE customer_id = ANY($1::int[])',
    [[[700_000, 700_001, 650_000, 900_000]]],
  ),
  indexed(
    'sales of the products of a list',
    ['order_items (product_id)'],
    'SELECT product_id, sum(quantity), sum(price_cents) FROM order_items WHERE product_id IN ($1, $2) GROUP BY product_id',
    [[15_000, 19_000]],
  ),
  // Order and limit.
  indexed(
    'newest orders of a customer',
    ['orders (customer_id, created_at)', 'orders (customer_id)'],
    'SELECT id, status, total_cents FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 10',
    [[700_000], [20_000]],
  ),
  indexed(
    'newest orders',
    ['orders (created_at)', 'orders (created_at, id)'],
    'SELECT id, customer_id, total_cents FROM orders ORDER BY created_at DESC LIMIT 20',
  ),
  indexed(
    'largest orders of a warehouse',
    ['orders (warehouse_id, total_cents)', 'orders (total_cents)'],
    'SELECT id, customer_id, total_cents FROM orders WHERE warehouse_id = $1 ORDER BY total_cents DESC LIMIT 10',
    [[3], [7]],
  ),
  indexed(
    'next page of orders',
    ['orders (created_at, id)', 'orders (created_at)'],
    'SELECT id, created_at, total_cents FROM orders WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT 50',
    [['2026-06-01T00:00:00Z', 500_000]],
  ),
  indexed(
    'largest orders, then by number',
    ['orders (total_cents DESC, id)', 'orders (total_cents)'],
    'SELECT id, total_cents, currency FROM orders ORDER BY total_cents DESC, id ASC LIMIT 25',
  ),
  indexed(
    'what a user did last',
    ['events (user_id, created_at)', 'events (user_id)'],
    'SELECT id, kind, payload, created_at FROM events WHERE user_id = $1 ORDER BY created_at DESC LIMIT 50',
    [[40_000], [55_000]],
  ),
  indexed(
    'sessions from an address',
    ['sessions (ip, last_seen_at)', 'sessions (ip)'],
    'SELECT id, customer_id, last_seen_at FROM sessions WHERE ip = $1 ORDER BY last_seen_at DESC LIMIT 20',
    [['10.7.9.7'], ['10.150.20.7']],
  ),
  indexed('last shipment', ['orders (shipped_at)'], 'SELECT max(shipped_at) FROM orders'),
  // Ranges.
  indexed(
    'shipments of a day',
    ['orders (shipped_at)'],
    'SELECT id, customer_id, warehouse_id FROM orders WHERE shipped_at BETWEEN $1 AND $2',
    [['2026-09-01T00:00:00Z', '2026-09-02T00:00:00Z']],
  ),
  indexed(
    'customers with orders today',
    ['orders (created_at)'],
    "SELECT customer_id, count(*), sum(total_cents) FROM orders WHERE created_at >= now() - interval '1 day' GROUP BY customer_id",
  ),
  indexed(
    'sessions that expired long ago',
    ['sessions (expires_at)'],
    "DELETE FROM sessions WHERE expires_at < now() - interval '432 days'",
    [[]],
    24,
  ),
  indexed(
    'customers deleted lately',
    ['customers (deleted_at)', 'customers (deleted_at) WHERE deleted_at IS NOT NULL'],
    "SELECT id, email FROM customers WHERE deleted_at > now() - interval '30 days'",
  ),
  indexed(
    'customers by the beginning of their name',
    ['customers (name text_pattern_ops)'],
    "SELECT id, name FROM customers WHERE name LIKE 'Anna 12%' LIMIT 20",
  ),
  // Constants, for which a part of the table is enough.
  indexed(
    'oldest pending orders',
    ["orders (created_at) WHERE status = 'pending'", 'orders (status, created_at)'],
    "SELECT id, customer_id FROM orders WHERE status = 'pending' ORDER BY created_at LIMIT 50",
    [[]],
    20_000,
  ),
  indexed(
    'pending orders of a warehouse',
    [
      "orders (warehouse_id) WHERE status = 'pending'",
      'orders (status, warehouse_id)',
      'orders (warehouse_id, status)',
    ],
    "SELECT id, customer_id, total_cents FROM orders WHERE warehouse_id = $1 AND status = 'pending'",
    [[4], [11]],
  ),
  indexed(
    'refunds to review',
    [
      "orders (status) WHERE status = 'refund_review'",
      'orders (status)',
      "orders (id) WHERE status = 'refund_review'",
    ],
    "SELECT id, customer_id, total_cents FROM orders WHERE status = 'refund_review' ORDER BY id",
  ),
  indexed(
    'important customers of a country',
    ['customers (country) WHERE vip', 'customers (vip, country)', 'customers (country, vip)'],
    'SELECT id, name, email FROM customers WHERE vip AND country = $1',
    [['IT'], ['US']],
  ),
  indexed(
    'failed payments of a week',
    [
      "events (created_at) WHERE kind = 'payment_failed'",
      'events (kind, created_at)',
      "events (kind) WHERE kind = 'payment_failed'",
      'events (kind)',
    ],
    "SELECT id, account_id, created_at FROM events WHERE kind = 'payment_failed' AND created_at > now() - interval '30 days'",
  ),
  // Where it is close: wide ranges, index-only reads, an index that is there but not enough.
  indexed(
    'turnover of a warehouse',
    ['orders (warehouse_id, total_cents)', 'orders (warehouse_id) INCLUDE (total_cents)'],
    'SELECT sum(total_cents) FROM orders WHERE warehouse_id = $1',
    [[4]],
  ),
  indexed(
    'number of cancelled orders',
    ['orders (status)', "orders (status) WHERE status = 'cancelled'"],
    "SELECT count(*) FROM orders WHERE status = 'cancelled'",
  ),
  indexed(
    'turnover of the last month by channel',
    ['orders (created_at)'],
    "SELECT channel, count(*), sum(total_cents) FROM orders WHERE created_at >= now() - interval '30 days' GROUP BY channel",
  ),
  indexed(
    'failed payments of an account',
    [
      'events (account_id, kind, created_at)',
      'events (account_id, kind)',
      'events (kind, account_id)',
      "events (account_id, created_at) WHERE kind = 'payment_failed'",
      "events (account_id) WHERE kind = 'payment_failed'",
    ],
    "SELECT id, created_at, payload FROM events WHERE account_id = $1 AND kind = 'payment_failed' ORDER BY created_at DESC LIMIT 20",
    [[1], [2], [1200]],
  ),
  indexed(
    'customers with an order under review',
    [
      "orders (customer_id) WHERE status = 'refund_review'",
      'orders (status, customer_id)',
      'orders (status)',
      "orders (status) WHERE status = 'refund_review'",
    ],
    "SELECT c.id, c.name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.status = 'refund_review')",
  ),
  indexed(
    'customers behind an address',
    ['sessions (ip)', 'sessions (ip, customer_id)'],
    'WITH seen AS (SELECT DISTINCT customer_id FROM sessions WHERE ip = $1) SELECT c.id, c.email FROM seen JOIN customers c ON c.id = seen.customer_id',
    [['10.7.9.7'], ['10.150.20.7']],
  ),
  // Joins and other statements.
  indexed(
    'articles of a customer',
    ['orders (customer_id)'],
    'SELECT o.id, i.product_id, i.quantity FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.customer_id = $1',
    [[700_000], [600_000]],
  ),
  indexed(
    'sales of an article',
    ['order_items (product_id)'],
    'SELECT p.name, sum(i.quantity), sum(i.price_cents) FROM products p JOIN order_items i ON i.product_id = p.id WHERE p.sku = $1 GROUP BY p.name',
    [['SKU-015000']],
  ),
  indexed(
    'customer and sessions by e-mail',
    ['sessions (customer_id)'],
    'SELECT c.id, s.id, s.last_seen_at FROM customers AS c LEFT JOIN sessions AS s ON s.customer_id = c.id WHERE c.email = $1',
    [['user900@example.org']],
  ),
  indexed(
    'sign out everywhere',
    ['sessions (customer_id)', 'sessions (customer_id) WHERE revoked_at IS NULL'],
    'UPDATE sessions SET revoked_at = now() WHERE customer_id = $1 AND revoked_at IS NULL',
    [[123_456]],
    200,
  ),
  // Added when the advisor was written, and labelled before it was asked.
  indexed(
    'first orders of a customer over an amount',
    ['orders (customer_id)', 'orders (customer_id, created_at)', 'orders (customer_id, total_cents)'],
    'SELECT id, total_cents FROM orders WHERE customer_id = $1 AND total_cents > $2 ORDER BY created_at ASC LIMIT 3',
    [
      [30_000, 5000],
      [800_000, 100],
    ],
  ),
  indexed(
    'last password reset of a user',
    [
      "events (user_id) WHERE kind = 'password_reset'",
      "events (user_id, created_at) WHERE kind = 'password_reset'",
      'events (user_id, kind)',
      'events (user_id, kind, created_at)',
      'events (user_id, created_at)',
      'events (user_id)',
    ],
    "SELECT max(created_at) FROM events WHERE user_id = $1 AND kind = 'password_reset'",
    [[50_000], [2]],
  ),
  indexed(
    'sessions about to end',
    [
      'sessions (expires_at)',
      'sessions (expires_at, customer_id)',
      'sessions (expires_at) WHERE revoked_at IS NULL',
    ],
    "SELECT s.id, c.email FROM sessions s INNER JOIN customers c ON c.id = s.customer_id WHERE s.expires_at BETWEEN now() - interval '434 days' AND now() - interval '433 days' AND s.revoked_at IS NULL",
  ),
  indexed(
    'buyers of a product',
    ['order_items (product_id)', 'order_items (product_id, order_id)'],
    'SELECT DISTINCT o.customer_id FROM order_items i JOIN orders o ON o.id = i.order_id WHERE i.product_id = $1',
    [[18_000]],
  ),
  indexed(
    'products nobody bought',
    ['order_items (product_id)'],
    'SELECT p.id, p.sku FROM products p WHERE p.category_id = $1 AND NOT EXISTS (SELECT 1 FROM order_items i WHERE i.product_id = p.id)',
    [[7]],
  ),
  indexed(
    'session by either secret',
    ['sessions (token_hash)'],
    'SELECT id FROM sessions WHERE token_hash = $1 OR token_hash = $2',
    [['7843821be05221edfc50cf20940beef1', 'nothing']],
  ),
  indexed(
    'give an order back to its customer',
    ['orders (external_ref)'],
    "UPDATE orders SET status = 'cancelled' WHERE external_ref = $1 AND status <> 'cancelled'",
    [['a796e3593c0c099946fc']],
  ),
  // Two indexes would serve it; one of them must already give 2×.
  indexed(
    'orders of the customers somebody referred',
    [
      'orders (customer_id)',
      'customers (referrer_id)',
      'customers (referrer_id) WHERE referrer_id IS NOT NULL',
    ],
    'SELECT o.id, o.total_cents, o.created_at FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.referrer_id = $1',
    [[17], [500_000]],
  ),
]
