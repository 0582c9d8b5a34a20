import type { Page } from '@playwright/test'
import { type RedisServer, startRedis } from '@/db/testing/redis'
import { base, expect } from './fixtures'
import { type RunningConsole, startConsole } from './server'

export interface World {
  redis: RedisServer
  console: RunningConsole
}

/** A console on a Redis that a shop uses too. */
export const shopTest = () =>
  base.extend<{ baseURL: string }, { world: World }>({
    world: [
      // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
      async ({}, use) => {
        const redis = await startRedis()
        const running = await startConsole({
          env: { REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) },
        })
        await fill(redis)
        await use({ redis, console: running })
        await running.stop()
        await redis.stop()
      },
      { scope: 'worker' },
    ],
    baseURL: async ({ world }, use) => use(world.console.url),
  })

export const MANY = 6_000
const FIELDS = 600

/** A shop's keys: one of each type, and more than one page of others. */
async function fill(redis: RedisServer): Promise<void> {
  await redis.command('SET', 'shop:text', 'plain words')
  await redis.command('SET', 'shop:json', '{"order":{"id":12345678901234567890}}')
  await redis.command('SETBIT', 'shop:bytes', 0, 1)
  const fields = Array.from({ length: FIELDS }, (_, at) => [`field-${at}`, `value-${at}`])
  await redis.command('HSET', 'shop:hash', ...fields.flat())
  await redis.command('RPUSH', 'shop:list', 'first in line', 'second in line')
  await redis.command('SADD', 'shop:set', 'only member')
  await redis.command('ZADD', 'shop:zset', 1.5, 'half past one')
  await redis.command('XADD', 'shop:stream', '1-1', 'temperature', 20)
  const many = Array.from({ length: MANY }, (_, at) => [`shop:many:${at + 1}`, at])
  await redis.command('MSET', ...many.flat())
}

export const count = (redis: RedisServer, pattern: string) =>
  redis.command('EVAL', "return #redis.call('KEYS', ARGV[1])", 0, pattern)
export const exists = (redis: RedisServer, ...keys: string[]) => redis.command('EXISTS', ...keys)

export const keys = (page: Page) => page.getByRole('table', { name: 'Folders and keys' })
export const drawer = (page: Page) => page.getByRole('dialog', { name: 'Key', exact: true })
export const keyRow = (page: Page, name: string) =>
  keys(page)
    .getByRole('row')
    .filter({ has: page.getByRole('button', { name, exact: true }) })

export async function scanAll(page: Page): Promise<void> {
  const end = page.getByRole('button', { name: 'Go on to the end' })
  const done = page.locator('#main').getByText(/^Scanned all [\d,]+ keys/)
  await expect(end.or(done).first()).toBeVisible()
  // While a step is on its way the button waits; and the walk may end by itself while it is looked for.
  await expect(async () => {
    if (await end.isVisible()) await end.click({ timeout: 3_000 })
    await expect(done).toBeVisible({ timeout: 3_000 })
  }).toPass({ timeout: 60_000 })
}
