import { type Labelled, none } from './work'

/** Statements of the shop that want no index: what is there serves them, or none could. */
export const SHOP_SERVED: Labelled[] = [
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
