import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '@/db/testing/redis'
import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { asFirstAdmin, base, expect, keepSignedIn } from './fixtures'
import { type RunningConsole, startConsole } from './server'

/** Above what a loaded machine makes of a quick command, in microseconds, and a sleep well above it. */
const SLOW_MICROSECONDS = 40_000
const SLEEP_SECONDS = 0.15

interface World {
  redis: RedisServer
  console: RunningConsole
}
interface Clustered {
  cluster: RedisCluster
  console: RunningConsole
}

/** A console on one Redis; one on a cluster and one without Redis for the tests that ask for them. */
const test = base.extend<{ baseURL: string }, { world: World; clustered: Clustered; alone: RunningConsole }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
    async ({}, use) => {
      const redis = await startRedis({
        settings: { 'enable-debug-command': 'yes', 'slowlog-log-slower-than': SLOW_MICROSECONDS },
      })
      const running = await startConsole({ env: { REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) } })
      await use({ redis, console: running })
      await running.stop()
      await redis.stop()
    },
    { scope: 'worker' },
  ],
  clustered: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
    async ({}, use) => {
      const cluster = await startRedisCluster()
      const running = await startConsole({
        env: { REDIS_CLUSTER_ENABLED: 'true', REDIS_CLUSTER_NODES: cluster.addresses },
      })
      await use({ cluster, console: running })
      await running.stop()
      await cluster.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  alone: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
    async ({}, use) => {
      const running = await startConsole()
      await use(running)
      await running.stop()
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ world }, use) => use(world.console.url),
})

test.describe.configure({ mode: 'serial', timeout: 240_000 })
const patient = { timeout: 60_000 }

test.afterEach(async ({ page, context }) => {
  if (page.url().startsWith('http')) await keepSignedIn(context, new URL(page.url()).origin)
})

/** The page's heading with the line under it. */
const head = (page: Page) => page.locator('#main header').first()
const state = (page: Page, word: string) => head(page).getByText(word, { exact: true })

test('every page of the cache is one click away', async ({ page, world }) => {
  await asFirstAdmin(page, world.console)
  await page.goto('/cache')
  const pages = page.getByRole('navigation', { name: 'Cache pages' })
  for (const [label, path] of [
    ['Namespaces and keys', '/cache/keys'],
    ['Nodes', '/cache/nodes'],
    ['Slow log', '/cache/slow-log'],
    ['Memory', '/cache/memory'],
    ['Outbound HTTP', '/cache/outbound'],
    ['Overview', '/cache'],
  ] as const) {
    await pages.getByRole('link', { name: label, exact: true }).click()
    await expect(page).toHaveURL(new RegExp(`${path}$`))
    await expect(pages.getByRole('link', { name: label, exact: true })).toHaveAttribute(
      'aria-current',
      'page',
    )
  }
})

test('the overview shows Redis, both levels and each namespace with why it missed', async ({
  page,
  world,
}) => {
  await asFirstAdmin(page, world.console)
  await page.goto('/cache')
  await expect(state(page, 'Redis')).toBeVisible(patient)
  await expect(head(page)).toContainText(`${world.redis.host}:${world.redis.port}`)
  await expect(page.locator('#main').getByText(/memory answers$/)).toHaveCount(0)
  await expect(page.getByRole('heading', { name: 'Local level' })).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Redis level' })).toBeVisible()
  for (const title of ['Hit ratio', 'Reads per second', 'Redis read time', 'Evictions per second']) {
    await expect(page.getByRole('figure', { name: title })).toBeVisible()
  }
  const misses = page.getByRole('table', { name: 'Misses by reason', exact: true })
  await expect(misses.getByRole('row')).toHaveCount(6)
  await expect(
    page
      .locator('#main')
      .getByText('The state has not changed')
      .or(page.locator('#main').getByText('Changes of state')),
  ).not.toHaveCount(0)

  // The console itself keeps figures of its store there.
  const namespaces = page.getByRole('table', { name: 'Namespaces' })
  await expect(namespaces).toContainText('statistics', patient)
  await expectAccessibleAtBothWidths(page)
  await expect(namespaces.getByRole('link', { name: 'Keys of statistics' })).toHaveAttribute(
    'href',
    '/cache/keys?prefix=holdfast%3Astatistics%3A',
  )
  await namespaces.getByRole('button', { name: 'statistics', exact: true }).click()
  await expect(page).toHaveURL(/namespace=statistics/)
  const drawer = page.getByRole('dialog', { name: 'Namespace statistics' })
  await expect(drawer.getByRole('table', { name: 'Misses of statistics by reason' })).toContainText('Absent')
  await expectAccessibleAtBothWidths(page)
  await page.goBack()
  await expect(drawer).toBeHidden()
})

test('without Redis the state turns, says what happens and what to do, and comes back by itself', async ({
  page,
  world,
}) => {
  await asFirstAdmin(page, world.console)
  await page.goto('/cache')
  await expect(state(page, 'Redis')).toBeVisible(patient)
  await world.redis.kill9()
  try {
    await expect(state(page, 'Memory').or(state(page, 'Probing'))).toBeVisible(patient)
    const callout = page
      .locator('#main')
      .getByText(/^Redis is away: memory answers|^Redis was away: it is being tried/)
    await expect(callout).toBeVisible()
    await expect(page.locator('#main').getByText(/^What to do: see that Redis runs/)).toContainText(
      String(world.redis.port),
    )
    await expectAccessibleAtBothWidths(page)

    // What needs Redis says that it is away, and can be tried again.
    await page.goto('/cache/nodes')
    await expect(
      page
        .getByRole('button', { name: 'Try again' })
        .or(page.locator('#main').getByText('No answer', { exact: true }))
        .first(),
    ).toBeVisible(patient)
    await expectAccessibleAtBothWidths(page)

    await page.goto('/')
    const verdict = page.locator('[data-verdict="warn"]')
    await verdict.getByRole('link', { name: /Redis/ }).click()
    await expect(page).toHaveURL(/\/cache$/)
  } finally {
    await world.redis.start()
  }
  await expect(state(page, 'Redis')).toBeVisible(patient)
  await expect(page.locator('#main').getByText(/^What to do: see that Redis runs/)).toHaveCount(0)
  const changes = page.getByRole('table', { name: 'Changes of state, the newest first' })
  await expect(changes).toContainText('Memory')
  await expect(changes.getByRole('row').nth(1)).toContainText('Redis')
})

test('a node tells what it is, and a row opens the rest', async ({ page, world }) => {
  await asFirstAdmin(page, world.console)
  await page.goto('/cache/nodes')
  const address = `${world.redis.host}:${world.redis.port}`
  const row = page
    .getByRole('table', { name: 'Nodes of Redis' })
    .getByRole('row')
    .filter({ hasText: address })
  await expect(row).toContainText('Primary', patient)
  await expect(row).toContainText(/\d (K|M)iB/)
  await expect(row).toContainText('no replica')
  await row.getByRole('button').click()
  const drawer = page.getByRole('dialog', { name: `Node ${address}` })
  await expect(drawer).toContainText('When memory is full')
  await expect(drawer).toContainText('noeviction')
  await expectAccessibleAtBothWidths(page)
  await drawer.getByRole('button', { name: 'Close' }).click()
  await expect(page).not.toHaveURL(/node=/)
})

test('a slow command is noted with its node, filtered by it, opened and reset', async ({ page, world }) => {
  await asFirstAdmin(page, world.console)
  await world.redis.command('SLOWLOG', 'RESET')
  await world.redis.command('DEBUG', 'SLEEP', SLEEP_SECONDS)
  await page.goto('/cache/slow-log')
  await expect(head(page)).toContainText('Commands that took longer than 40 ms are noted', patient)
  const table = page.getByRole('table', { name: 'Slow commands, the newest first' })
  const row = table.getByRole('row').filter({ hasText: /debug sleep/i })
  await expect(row).toContainText(`${world.redis.host}:${world.redis.port}`)
  await expect(row).toContainText(/1\d\d ms|2\d\d ms/)
  await expectAccessibleAtBothWidths(page)

  await page.getByLabel('Node').selectOption(`${world.redis.host}:${world.redis.port}`)
  await expect(page).toHaveURL(/node=127/)
  await expect(row).toBeVisible()
  await page.goto('/cache/slow-log?node=elsewhere:1')
  await expect(page.locator('#main').getByText('This node has noted no command')).toBeVisible()
  await page.getByRole('button', { name: 'Show all nodes' }).click()

  await row.getByRole('button').click()
  const drawer = page.getByRole('dialog', { name: 'Slow command' })
  await expect(drawer.getByRole('region', { name: 'Command', exact: true })).toContainText(/debug sleep/i)
  await expectAccessible(page)
  await drawer.getByRole('button', { name: 'Close' }).click()

  await page.getByRole('button', { name: 'Reset…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Reset the slow log?' })
  await expect(dialog).toContainText('No key is touched')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Reset the slow log' }).click()
  await expect(page.getByText('The slow log was reset.')).toBeVisible()
  await expect(page.locator('#main').getByText('No slow command is noted')).toBeVisible(patient)
  await expectAccessible(page)
})

test('a sample tells the biggest keys and what each namespace takes, of the cache or of all', async ({
  page,
  world,
}) => {
  await asFirstAdmin(page, world.console)
  await world.redis.command('SET', 'holdfast:shop:catalogue', 'x'.repeat(200_000))
  await world.redis.command('SET', 'elsewhere:session', 'y'.repeat(400_000))
  await page.goto('/cache/memory')
  await expect(
    page.locator('#main').getByText(/^(All \d+ keys were|The only key was) measured\.$/),
  ).toBeVisible(patient)
  const groups = page.getByRole('table', { name: 'Memory by namespace' })
  const biggest = page.getByRole('table', { name: 'Biggest keys' })
  await expect(groups).toContainText('shop')
  await expect(biggest.getByRole('row').nth(1)).toContainText('holdfast:shop:catalogue')
  await expect(biggest.getByRole('link', { name: 'holdfast:shop:catalogue' })).toHaveAttribute(
    'href',
    '/cache/keys?key=holdfast%3Ashop%3Acatalogue',
  )
  await expect(biggest).not.toContainText('elsewhere')
  await expectAccessibleAtBothWidths(page)

  await page.getByLabel('Keys', { exact: true }).selectOption('Everything in Redis')
  await expect(page).toHaveURL(/scope=all/)
  await expect(biggest.getByRole('row').nth(1)).toContainText('elsewhere:session', patient)
  await world.redis.command('SET', 'elsewhere:larger', 'z'.repeat(800_000))
  await page.getByRole('button', { name: 'Sample again' }).click()
  await expect(biggest.getByRole('row').nth(1)).toContainText('elsewhere:larger', patient)

  // Above 2,000 keys a part of them is drawn.
  await world.redis.command(
    'EVAL',
    "for i = 1, 6000 do redis.call('SET', 'holdfast:crowd:' .. i, string.rep('v', i % 500)) end",
    0,
  )
  await page.getByRole('button', { name: 'Sample again' }).click()
  await expect(
    page.locator('#main').getByText(/^[\d,]+ of about [\d,]+ keys were drawn at random\.$/),
  ).toBeVisible(patient)
  await expect(groups.getByRole('row').filter({ hasText: 'crowd' })).toContainText('≈')
  await expectAccessibleAtBothWidths(page)
  await world.redis.command('FLUSHALL')
})

test('a cluster shows its primaries, replicas and slots, and a node that fails stands first', async ({
  page,
  clustered: { cluster, console: running },
}) => {
  await asFirstAdmin(page, running)
  await page.goto(`${running.url}/cache/nodes`)
  const nodes = page.getByRole('table', { name: 'Nodes of Redis' })
  await expect(nodes.getByRole('row')).toHaveCount(7, patient)
  await expect(nodes.getByText('Primary', { exact: true })).toHaveCount(3)
  await expect(nodes.getByText('Replica', { exact: true })).toHaveCount(3)
  await expect(page.getByRole('img', { name: /^Slots by primary\. 1: / })).toBeVisible()
  const slots = page.getByRole('table', { name: 'Slots by primary' })
  await expect(slots.getByRole('row')).toHaveCount(4)
  await expect(page.getByText('3 primaries serve all 16,384 slots, 5,461 to 5,462 each.')).toBeVisible()
  const csv = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download Slots by primary as CSV' }).click()
  expect(readFileSync(await (await csv).path(), 'utf8')).toMatch(/\r\n1,[^,]+,yes,0,5460,5461\r\n/)
  await expect(slots).toContainText('0–5460')
  await expect(page.locator('#main').getByText('16,384 of 16,384')).toBeVisible()
  await expectAccessibleAtBothWidths(page)

  const failing = cluster.nodes[5] as RedisServer
  await failing.kill9()
  const first = nodes.getByRole('row').nth(1)
  await expect(first).toContainText('No answer', patient)
  await expect(first).toContainText(`${failing.host}:${failing.port}`)
  await expect(page.locator('#main').getByText('1 node of 6 does not answer')).toBeVisible()
  await expectAccessibleAtBothWidths(page)
  await failing.start()
  await expect(page.locator('#main').getByText('1 node of 6 does not answer')).toHaveCount(0, patient)
})

test('a console without Redis says that it is well in memory, and what to set for more', async ({
  page,
  alone,
}) => {
  await asFirstAdmin(page, alone)
  await page.goto(`${alone.url}/cache`)
  await expect(state(page, 'In memory')).toBeVisible()
  await expect(page.getByRole('figure', { name: 'Redis read time' })).toHaveCount(0)
  await expectAccessibleAtBothWidths(page)
  const main = page.locator('#main')
  for (const path of ['nodes', 'slow-log', 'memory']) {
    await page.goto(`${alone.url}/cache/${path}`)
    await expect(main.getByText('No Redis is configured: the cache lives in this process')).toBeVisible()
    await expect(main.getByText('REDIS_HOST', { exact: true })).toBeVisible()
    await expect(main.getByRole('table')).toHaveCount(0)
  }
})
