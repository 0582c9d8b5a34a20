/**
 * The labelled set: statements of the shop and the index that an expert would add for each, or none because what is
 * there serves it or no index can. Written before the advisor; `--prove-labels` proves each by timing.
 */

export interface Labelled {
  name: string
  /** As an application sends it: values as $n, and constants where the code has constants. */
  text: string
  calls: number
  /** Values to time it with: usual ones and, where the column is skewed, a frequent one. Dates are strings. */
  values: unknown[][]
  /**
   * 'table (columns) WHERE …' of the right index, best first; each is proved by itself. Empty: none, and `tables`
   * are those of which the proof tries every one- and two-column index.
   */
  right: string[]
  /** Columns of which the proof of a 'none' makes candidates: all that the statement names. */
  tried?: Record<string, string[]>
}

const indexed = (
  name: string,
  right: string[],
  text: string,
  values: unknown[][] = [[]],
  calls = 1000,
): Labelled => ({
  name,
  right,
  text,
  values,
  calls,
})

const none = (
  name: string,
  tried: Record<string, string[]>,
  text: string,
  values: unknown[][] = [[]],
  calls = 1000,
): Labelled => ({ name, right: [], tried, text, values, calls })

export const STATEMENTS: Labelled[] = [
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
  none(
    'orders with their customers, newest numbers first',
    { orders: ['id', 'customer_id', 'status'], customers: ['id', 'country', 'email'] },
    'SELECT o.id, o.status, c.email FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id DESC LIMIT 30',
  ),
  none(
    'events of an account in a week',
    { events: ['account_id', 'created_at', 'kind'] },
    "SELECT kind, payload, created_at FROM events WHERE account_id = $1 AND created_at BETWEEN now() - interval '20 days' AND now() - interval '13 days'",
    [[900], [1500]],
  ),
  none(
    'share of each status',
    { orders: ['status', 'total_cents', 'shipped_at', 'currency'] },
    'SELECT status, currency, count(*), avg(total_cents), max(shipped_at) FROM orders GROUP BY status, currency ORDER BY count(*) DESC',
  ),
  none(
    'products by number with their category',
    { products: ['id', 'category_id', 'name'], categories: ['id', 'name'] },
    'SELECT p.name, c.name FROM products p LEFT JOIN categories c ON c.id = p.category_id WHERE p.id IN ($1, $2, $3)',
    [[5, 600, 19_000]],
  ),
  // None: what is there serves it.
  none(
    'customer by number',
    { customers: ['id', 'name', 'email', 'country'] },
    'SELECT id, name, email, country FROM customers WHERE id = $1',
    [[4711]],
    500_000,
  ),
  none(
    'customer by e-mail',
    { customers: ['email', 'deleted_at', 'id'] },
    'SELECT * FROM customers WHERE email = $1 AND deleted_at IS NULL',
    [['user4711@example.org']],
  ),
  none(
    'articles of an order',
    { order_items: ['order_id', 'line_no', 'product_id', 'quantity'] },
    'SELECT line_no, product_id, quantity FROM order_items WHERE order_id = $1 ORDER BY line_no',
    [[500_000]],
  ),
  none(
    'orders of a list of numbers',
    { orders: ['id', 'status', 'total_cents'] },
    'SELECT id, status, total_cents FROM orders WHERE id = ANY($1::bigint[])',
    [[[5, 50_000, 500_000]]],
  ),
  none(
    'last events of an account',
    { events: ['account_id', 'created_at', 'kind'] },
    'SELECT id, kind, payload FROM events WHERE account_id = $1 ORDER BY created_at DESC LIMIT 20',
    [[1500], [1]],
  ),
  none(
    'page views of an account',
    { events: ['account_id', 'created_at', 'kind'] },
    'SELECT id, payload FROM events WHERE account_id = $1 AND kind = $2 ORDER BY created_at DESC LIMIT 20',
    [
      [1500, 'page_view'],
      [3, 'click'],
    ],
  ),
  none(
    'events of the last ten minutes',
    { events: ['created_at', 'kind', 'id'] },
    "SELECT * FROM events WHERE created_at >= now() - interval '10 minutes'",
  ),
  none(
    'newest orders by number',
    { orders: ['id', 'status', 'customer_id'] },
    'SELECT id, customer_id, status FROM orders ORDER BY id DESC LIMIT 20',
  ),
  none(
    'live session by number',
    { sessions: ['id', 'revoked_at', 'expires_at'] },
    'SELECT * FROM sessions WHERE id = $1 AND revoked_at IS NULL AND expires_at > now()',
    [[999_000]],
    90_000,
  ),
  none(
    'customer of an order',
    { orders: ['id', 'customer_id'], customers: ['id', 'name'] },
    'SELECT c.name, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = $1',
    [[77_777]],
  ),
  none(
    'price change',
    { products: ['id', 'price_cents'] },
    'UPDATE products SET price_cents = $1 WHERE id = $2',
    [[999, 15]],
  ),
  none(
    'new event',
    { events: ['id', 'account_id', 'user_id'] },
    "INSERT INTO events (id, account_id, user_id, kind, payload, created_at) VALUES ($1, $2, $3, 'click', $4, now())",
    [[99_000_001, 5, 6, 'x']],
    50_000,
  ),
  // None: nearly all rows qualify, or all are needed.
  none(
    'turnover of delivered orders',
    { orders: ['status', 'total_cents', 'created_at', 'warehouse_id'] },
    "SELECT count(*), sum(total_cents), max(created_at), min(warehouse_id) FROM orders WHERE status = 'delivered'",
  ),
  none(
    'turnover by channel and currency',
    { orders: ['channel', 'currency', 'total_cents', 'status'] },
    'SELECT channel, currency, count(*), sum(total_cents) FROM orders GROUP BY channel, currency',
  ),
  none(
    'orders above five euros',
    { orders: ['total_cents', 'channel', 'currency', 'created_at'] },
    'SELECT channel, currency, max(created_at), count(*) FROM orders WHERE total_cents > 500 GROUP BY channel, currency',
  ),
  none(
    'ordinary customers by country',
    { customers: ['vip', 'country', 'city', 'name'] },
    'SELECT country, count(*), min(name), min(city) FROM customers WHERE NOT vip GROUP BY country',
  ),
  none(
    'customers with a part of a name',
    { customers: ['name', 'email', 'created_at'] },
    "SELECT count(*), max(created_at), min(email) FROM customers WHERE name LIKE '%nna%'",
  ),
  none(
    'orders either way',
    { orders: ['status', 'total_cents', 'channel', 'customer_id'] },
    "SELECT channel, max(customer_id), sum(total_cents) FROM orders WHERE status = 'delivered' OR total_cents > 1000 GROUP BY channel",
  ),
  none(
    'turnover by country of the customer',
    { orders: ['customer_id', 'total_cents', 'currency'], customers: ['id', 'country'] },
    'SELECT c.country, o.currency, sum(o.total_cents) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.country, o.currency',
  ),
  none(
    'turnover of ten months',
    { orders: ['created_at', 'total_cents', 'channel', 'currency'] },
    "SELECT channel, currency, count(*), sum(total_cents) FROM orders WHERE created_at >= now() - interval '330 days' GROUP BY channel, currency",
  ),
  none(
    'a page far back',
    { orders: ['id', 'status', 'channel', 'total_cents'] },
    'SELECT id, status, channel, total_cents FROM orders ORDER BY id LIMIT 20 OFFSET 400000',
  ),
  none(
    'live sessions by age',
    { sessions: ['revoked_at', 'created_at', 'last_seen_at', 'expires_at'] },
    'SELECT count(*), min(created_at), max(last_seen_at), max(expires_at) FROM sessions WHERE revoked_at IS NULL',
  ),
  // None: the table is small.
  none(
    'children of a category',
    { categories: ['parent_id', 'name', 'id'] },
    'SELECT id, name FROM categories WHERE parent_id = $1',
    [[3]],
  ),
  none(
    'warehouse by code',
    { warehouses: ['code', 'id', 'country'] },
    'SELECT * FROM warehouses WHERE code = $1',
    [['WH3']],
  ),
]
