import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { q, unit } from '@/db/unit'
import { openConsole } from './testing/console'
import { openPeople } from './testing/people'

const makeRuns = unit('test.makeRuns', function* (tx, names: readonly string[]) {
  for (const sourceName of names) {
    yield* q(
      tx.db.insert(tx.tables.migrationRuns).values({
        ...{ id: randomUUID(), sourceKind: 'folder', source: `/srv/${sourceName}`, sourceName },
        ...{ target: { host: 'db', port: 5432, database: 'shop' }, state: 'switched_over', checks: [] },
        createdAt: Date.now(),
      }),
    )
  }
})

let console: Awaited<ReturnType<typeof openConsole>>
let people: Awaited<ReturnType<typeof openPeople>>
const undo: (() => unknown)[] = []
beforeAll(async () => {
  console = await openConsole((step) => undo.push(step))
  people = await openPeople(console)
  await console.runtime.store.run(makeRuns, ['orders_100%.db', 'orders.db', ...Array(6).fill('many.db')])
  await console.runtime.cache.space('sessions').set('a', 1, { ttl: 60_000 })
})
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const find = async (text: string, token = people.tokens.admin) => {
  const { outcome, body } = await console.call('system.search', 'query', token, { text })
  return outcome === 'ok' ? (body as { kind: string; label: string; note: string; href: string }[]) : outcome
}
const labels = async (text: string, token?: string | null) => {
  const found = await find(text, token)
  return Array.isArray(found) ? found.map(({ kind, label }) => `${kind} ${label}`) : found
}

it('finds users by address and name, whatever the case, each with its own address', async () => {
  const { userId } = people.users.otto
  expect(await find('OTTO')).toEqual([
    {
      ...{ kind: 'user', id: userId, label: 'otto', note: 'otto@example.org' },
      href: `/security/users?user=${userId}`,
    },
  ])
})

it('finds runs, keys and namespaces; what stands for anything in SQL stands for itself', async () => {
  expect(await find('orders_1')).toMatchObject(
    [
      {
        kind: 'run',
        label: 'orders_100%.db to db:5432/shop',
        note: 'switched over',
        href: /^\/migration\/[\w-]+$/,
      },
    ].map(({ href: _, ...rest }) => rest),
  )
  expect(await labels('100%')).toEqual(['run orders_100%.db to db:5432/shop'])
  expect(await labels('orders_d')).toEqual([])
  expect(await labels('reads')).toEqual(['api key Reads health'])
  expect(await labels('essio')).toEqual(['namespace sessions'])
})

it('tells five of each kind, and asks for two letters', async () => {
  expect(await labels('many')).toHaveLength(5)
  expect(await labels('@example')).toHaveLength(5)
  expect(await find('o')).toBe('BAD_INPUT')
  expect(await find('  o ')).toBe('BAD_INPUT')
})

it('shows nobody what he may not see', async () => {
  expect(await labels('reads', people.tokens.viewer)).toEqual([])
  expect(await labels('otto', people.tokens.viewer)).toEqual(['user otto'])
  const key = people.tokens['API key for system:read']
  for (const text of ['otto', 'orders', 'reads', 'sessions']) expect(await labels(text, key)).toEqual([])
})
