import { randomUUID } from 'node:crypto'
import { asc } from 'drizzle-orm'
import { afterEach, describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { needsPostgres } from '@/db/testing/shared'
import type { IndexChange, IndexChanges } from '.'
import { openShop, type Shop, SLOW } from './changes.testing'
import { beginChange, endChange } from './units'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const later = (step: () => unknown) => undo.push(step)
const refused = (code: string) => expect.objectContaining({ name: 'HoldfastError', code })

const newest = async (changes: IndexChanges) => (await changes.list())[0] as IndexChange

async function ended(changes: IndexChanges): Promise<IndexChange> {
  await waitUntil('the change to end', async () => !/running|undoing/.test((await newest(changes)).state))
  return newest(changes)
}

/** The one index that the slow statement asks for. */
async function offered(changes: IndexChanges) {
  const { advice, missing } = await changes.advice({ fresh: true })
  expect(missing).toBeNull()
  const found = advice.find(({ verdicts }) => verdicts.some(({ text }) => /from orders/i.test(text)))
  if (!found) throw new Error('The index is not advised.')
  return found
}

async function apply(shop: Shop, changes: IndexChanges, key: string) {
  return changes.apply({ key, privilege: await shop.privilege('applyIndex', { key }) })
}

/** A promise, and what fulfils it. */
function promise(): [Promise<void>, () => void] {
  let fulfil = () => {}
  const one = new Promise<void>((resolve) => {
    fulfil = resolve
  })
  return [one, fulfil]
}

async function eventsOf({ store }: Shop): Promise<string[]> {
  const { auditEvents } = store.tables
  const rows = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
  return rows
    .filter(({ event }) => event.startsWith('sys_'))
    .map(({ event, outcome }) => `${event} ${outcome}`)
}

for (const dialect of ['sqlite', 'postgresql'] as const) {
  describe(`index changes on ${dialect}`, () => {
    if (dialect === 'postgresql') needsPostgres()

    it('advises anew once an index is made, though somebody was being advised meanwhile', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      await shop.ask(30)
      const { key } = await offered(changes)
      // What is looked for from now on has seen the statements, and is held up until the index is there.
      const { statements } = shop.source.inspect
      const [made, letGo] = promise()
      const [seen, haveSeen] = promise()
      const held = { ...shop.source.inspect }
      shop.source.inspect = held
      held.statements = async () => {
        const found = await statements()
        haveSeen()
        await made
        return found
      }
      const before = changes.advice({ fresh: true })
      await seen
      held.statements = statements
      await apply(shop, changes, key)
      expect((await ended(changes)).state).toBe('applied')
      shop.clock.at++
      const after = changes.advice()
      const first = await Promise.race([after.then(() => 'the new one'), before.then(() => 'the old one')])
      expect(first).toBe('the new one')
      letGo()
      await before
      expect((await changes.advice()).at).toBe((await after).at)
    })

    it('makes the advised index, measures what it does, and takes it back', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      await shop.ask(30)
      const advice = await offered(changes)
      expect(advice).toMatchObject({ index: { table: 'orders', keys: [{ name: 'customer_id' }] } })
      expect(advice.key).toMatch(/^[0-9a-f]{16}$/)
      const { id } = await apply(shop, changes, advice.key)
      const done = await ended(changes)
      expect(done).toMatchObject({
        id,
        kind: 'create',
        state: 'applied',
        error: null,
        actor: 'ada@example.org',
      })
      expect(done.before).toMatchObject({ calls: 30, from: expect.any(Number) })
      expect(done.expected?.costAfter).toBeLessThan(done.expected?.costBefore ?? 0)
      expect(await shop.indexes()).toEqual([advice.name])

      await waitUntil('the count to begin', async () => {
        const { indexChanges } = shop.store.tables
        return (await shop.store.db.select().from(indexChanges))[0]?.counted !== null
      })
      await shop.ask(19)
      shop.clock.at += 20_000
      await changes.tick()
      expect((await newest(changes)).after).toBeNull()
      await shop.ask(20)
      shop.clock.at += 20_000
      await changes.tick()
      const { after, before } = await newest(changes)
      expect(after).toMatchObject({ calls: 39, from: done.finishedAt, to: shop.clock.at })
      expect(after?.meanMs).toBeLessThan((before?.meanMs ?? 0) / 2)

      await changes.undo({ id, privilege: await shop.privilege('undoIndex', { id }) })
      expect(await ended(changes)).toMatchObject({ state: 'undone', error: null })
      expect(await shop.indexes()).toEqual([])
      expect(await eventsOf(shop)).toEqual([
        'sys_database_index_requested success',
        'sys_database_index_created success',
        'sys_database_index_undo_requested success',
        'sys_database_index_undone success',
      ])
    })

    it('drops a duplicate index, and makes it again', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      await shop.run('CREATE INDEX orders_total ON orders (total)')
      await shop.run('CREATE INDEX orders_total_again ON orders (total)')
      const { problems } = await changes.advice({ fresh: true })
      const duplicate = problems.find(({ kind }) => kind === 'duplicate')
      expect(duplicate?.key).toMatch(/^[0-9a-f]{16}$/)
      const before = await shop.indexes()
      const { id } = await apply(shop, changes, duplicate?.key ?? '')
      expect(await ended(changes)).toMatchObject({ kind: 'drop', state: 'applied', index: duplicate?.index })
      expect(await shop.indexes()).toEqual(before.filter((name) => name !== duplicate?.index))
      await changes.undo({ id, privilege: await shop.privilege('undoIndex', { id }) })
      expect(await ended(changes)).toMatchObject({ state: 'undone' })
      expect(await shop.indexes()).toEqual(before)
    })

    it('never offers to drop an index that the store itself defines', async () => {
      const shop = await openShop(dialect, later)
      await shop.run('CREATE INDEX events_wide ON audit_events (event, time, actor)')
      await shop.run('CREATE INDEX events_narrow ON audit_events (event)')
      const { problems } = await shop.open().advice()
      const named = problems.flatMap(({ kind, index }) => (kind === 'redundant' ? [index] : []))
      expect(named).toContain('events_narrow')
      expect(named).not.toContain('audit_events_event')
    })

    it('makes one index of a double click, and one change at a time', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      const other = shop.open()
      await shop.ask(25)
      const { key, name } = await offered(changes)
      await other.advice()
      const privileges = await Promise.all([1, 2].map(() => shop.privilege('applyIndex', { key })))
      const tries = await Promise.allSettled([
        changes.apply({ key, privilege: privileges[0] as never }),
        other.apply({ key, privilege: privileges[1] as never }),
      ])
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(tries.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'CONFLICT' },
      })
      expect(await ended(changes)).toMatchObject({ state: 'applied' })
      expect(await shop.indexes()).toEqual([name])
      expect(await changes.list()).toHaveLength(1)
      const third = shop.open()
      await expect(apply(shop, third, key)).rejects.toEqual(refused('NOT_FOUND'))
      const { stepUpGrants } = shop.store.tables
      const used = (await shop.store.db.select().from(stepUpGrants)).filter(({ usedAt }) => usedAt !== null)
      expect(used).toHaveLength(1)
    })

    it('refuses a wrong grant, and changes nothing', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      await shop.ask(25)
      const { key } = await offered(changes)
      const right = await shop.privilege('applyIndex', { key })
      for (const privilege of [
        { ...right, grantId: null },
        { ...right, by: { ...right.by, sessionId: 'two' } },
        await shop.privilege('applyIndex', { key: 'ffffffffffffffff' }),
        await shop.privilege('undoIndex', { key }),
      ]) {
        await expect(changes.apply({ key, privilege })).rejects.toEqual(refused('STEP_UP_REQUIRED'))
      }
      expect([await changes.list(), await shop.indexes()]).toEqual([[], []])
      const { id } = await changes.apply({ key, privilege: right })
      await ended(changes)
      const wrong = { ...right, grantId: null }
      await expect(changes.undo({ id, privilege: wrong })).rejects.toEqual(refused('STEP_UP_REQUIRED'))
      expect((await newest(changes)).state).toBe('applied')
    })

    it('says when advice does not stand any more, and keeps the grant', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      const key = '0123456789abcdef'
      const privilege = await shop.privilege('applyIndex', { key })
      await expect(changes.apply({ key, privilege })).rejects.toEqual(refused('NOT_FOUND'))
      const id = '7e8e9c42-3d0a-4f63-9a52-0c1f7f0f2a11'
      await expect(
        changes.undo({ id, privilege: await shop.privilege('undoIndex', { id }) }),
      ).rejects.toEqual(refused('NOT_FOUND'))
      const { stepUpGrants } = shop.store.tables
      expect((await shop.store.db.select().from(stepUpGrants)).map(({ usedAt }) => usedAt)).toEqual([
        null,
        null,
      ])
    })

    it('makes an index that would slow another statement only after that one’s own', async () => {
      const shop = await openShop(dialect, later)
      const [changes, other] = [shop.open(), shop.open()]
      const [customer, least] = dialect === 'sqlite' ? ['?', '?'] : ['$1', '$2']
      const where = `customer_id = ${customer} AND total > ${least}`
      for (let n = 0; n < 25; n++) {
        await shop.run('SELECT id, customer_id FROM orders ORDER BY total LIMIT 10')
        await shop.run(`SELECT id, customer_id FROM orders WHERE ${where} ORDER BY total LIMIT 3`, [n, 5])
      }
      const { advice } = await changes.advice({ fresh: true })
      const own = advice.find(({ index }) => index.keys[0]?.name === 'customer_id')
      const order = advice.find(({ index }) => index.keys[0]?.name === 'total')
      expect([own?.after, order?.after]).toEqual([[], [own?.name]])
      const key = order?.key ?? ''
      const privilege = await shop.privilege('applyIndex', { key })
      await expect(changes.apply({ key, privilege })).rejects.toEqual(refused('CONFLICT'))
      expect([await changes.list(), await shop.indexes()]).toEqual([[], []])
      // What this instance has kept of the advice still says so.
      await apply(shop, other, own?.key ?? '')
      await ended(other)
      shop.clock.at += 1_000
      await changes.apply({ key, privilege })
      await ended(changes)
      expect(await shop.indexes()).toEqual([own?.name, order?.name].sort())
    })

    it('undoes a change once', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      await shop.ask(25)
      const { id } = await apply(shop, changes, (await offered(changes)).key)
      await ended(changes)
      await changes.undo({ id, privilege: await shop.privilege('undoIndex', { id }) })
      await ended(changes)
      await expect(
        changes.undo({ id, privilege: await shop.privilege('undoIndex', { id }) }),
      ).rejects.toEqual(refused('CONFLICT'))
    })

    it('says why there is no advice', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      shop.source.inspect = {
        ...shop.source.inspect,
        statements: () => Promise.reject(Object.assign(new Error(SLOW), { code: '42501' })),
      }
      const { missing, advice } = await changes.advice()
      expect([missing, advice]).toEqual([expect.stringContaining('pg_monitor'), []])
    })

    it('keeps its advice for a minute, and asks once for all who ask at the same time', async () => {
      const shop = await openShop(dialect, later)
      const changes = shop.open()
      const [one, two] = await Promise.all([changes.advice(), changes.advice()])
      expect(two).toBe(one)
      shop.clock.at += 59_000
      expect(await changes.advice()).toBe(one)
      shop.clock.at += 2_000
      expect(await changes.advice()).not.toBe(one)
    })
  })
}

describe('an index change that goes wrong on postgresql', () => {
  needsPostgres()

  /** A transaction that wrote to orders: CREATE INDEX CONCURRENTLY waits for its end with the index half made. */
  async function hold(shop: Shop, lock?: string) {
    if (shop.database.dialect !== 'postgresql') throw new Error('This test is for PostgreSQL.')
    const connection = await shop.database.client.connect()
    const ask = connection.query as unknown as (text: string) => Promise<unknown>
    await ask('BEGIN')
    // The pool has the server end transactions that rest; this one rests on purpose.
    await ask('SET LOCAL idle_in_transaction_session_timeout = 0')
    await ask(lock ?? 'UPDATE orders SET total = total WHERE id = 1')
    let held = true
    const release = async () => {
      if (!held) return
      held = false
      await ask('ROLLBACK')
      connection.release()
    }
    later(release)
    return release
  }

  /** A change under way, whose index is there and not valid yet. */
  async function halfMade() {
    const shop = await openShop('postgresql', later)
    const changes = shop.open('one')
    await shop.ask(25)
    const { key, name } = await offered(changes)
    const release = await hold(shop)
    const { id } = await apply(shop, changes, key)
    await waitUntil('a half made index', async () => (await shop.indexes())[0] === `${name} (invalid)`)
    return { shop, changes, release, id, name }
  }

  const builder = (act: string) =>
    `SELECT ${act}(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND pid <> pg_backend_pid()`

  it('leaves nothing behind when its connection is killed', async () => {
    const { shop, changes, release } = await halfMade()
    await shop.run(builder('pg_terminate_backend'))
    await release()
    expect(await ended(changes)).toMatchObject({
      state: 'failed',
      error: 'The connection to the server was lost while it worked.',
    })
    expect(await shop.indexes()).toEqual([])
    expect((await eventsOf(shop)).at(-1)).toBe('sys_database_index_created failure')
  })

  it('leaves nothing behind when somebody cancels it, and the next one succeeds', async () => {
    const { shop, changes, release, name } = await halfMade()
    await shop.run(builder('pg_cancel_backend'))
    await release()
    expect(await ended(changes)).toMatchObject({
      state: 'failed',
      error: 'Somebody cancelled the statement.',
    })
    expect(await shop.indexes()).toEqual([])
    shop.clock.at += 1
    await apply(shop, changes, (await offered(changes)).key)
    expect(await ended(changes)).toMatchObject({ state: 'applied' })
    expect(await shop.indexes()).toEqual([name])
  })

  it('does not begin while the table is locked, and holds up nobody else for long', async () => {
    const shop = await openShop('postgresql', later)
    const changes = shop.open()
    await shop.ask(25)
    const { key } = await offered(changes)
    const release = await hold(shop, 'LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE')
    await apply(shop, changes, key)
    const failed = await ended(changes)
    expect(failed).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('held the table for 10 s'),
    })
    await release()
    expect(await shop.indexes()).toEqual([])
  }, 40_000)

  it('does not touch an index of the same name that was there before', async () => {
    const shop = await openShop('postgresql', later)
    const changes = shop.open()
    await shop.ask(25)
    const { key, name } = await offered(changes)
    await shop.run(`CREATE INDEX ${name} ON orders (total)`)
    await apply(shop, changes, key)
    const failed = await ended(changes)
    expect(failed).toMatchObject({ state: 'failed', error: 'An index of that name is there already.' })
    expect(await shop.indexes()).toEqual([name])
  })

  it('is finished by another instance when its own ends, since the server goes on', async () => {
    const { shop, changes, release, id, name } = await halfMade()
    await changes.close()
    const other = shop.open('two')
    await other.tick()
    expect((await newest(other)).state).toBe('running')
    await release()
    expect(await ended(other)).toMatchObject({ id, state: 'applied', error: null })
    expect(await shop.indexes()).toEqual([name])
  })

  it('is cleared away by another instance when it died with its own', async () => {
    const { shop, changes, release } = await halfMade()
    await changes.close()
    await shop.run(builder('pg_terminate_backend'))
    const other = shop.open('two')
    await other.tick()
    await release()
    expect(await ended(other)).toMatchObject({
      state: 'failed',
      error: 'The console was ended before it was done.',
    })
    expect(await shop.indexes()).toEqual([])
  })

  it('is left to its instance while that one shows signs of life', async () => {
    const { shop, changes, release } = await halfMade()
    const other = shop.open('two')
    await other.tick()
    const { indexChanges } = shop.store.tables
    expect((await shop.store.db.select().from(indexChanges))[0]?.leaseOwner).toBe('one')
    await release()
    expect(await ended(changes)).toMatchObject({ state: 'applied' })
  })
})

describe('an index change that a process left behind', () => {
  needsPostgres()

  const plan = {
    ...{ key: '0123456789abcdef', kind: 'create' as const, table: 'orders', index: 'orders_total' },
    ...{ ddl: 'CREATE INDEX orders_total ON orders (total)', undo: 'DROP INDEX orders_total' },
    ...{ expected: null, fingerprints: [] },
  }

  async function begin(shop: Shop, dialect: 'sqlite' | 'postgresql') {
    const privilege = await shop.privilege('applyIndex', { key: plan.key })
    const lease = { leaseOwner: 'gone', leaseUntil: shop.clock.now() + 30_000 }
    const id = randomUUID()
    const now = shop.clock.now()
    await shop.store.run(beginChange, {
      ...{ ...privilege, id, plan, dialect, before: null, advisedAt: now, now, lease },
    })
    return id
  }

  it('is told to have failed when the file is served again', async () => {
    const shop = await openShop('sqlite', later)
    await begin(shop, 'sqlite')
    const changes = shop.open()
    await changes.tick()
    expect(await ended(changes)).toMatchObject({
      state: 'failed',
      error: 'The console was ended before it was done.',
    })
    expect(await shop.indexes()).toEqual([])
  })

  it('is not carried out on another database, nor taken back there', async () => {
    const shop = await openShop('postgresql', later)
    await begin(shop, 'sqlite')
    const changes = shop.open()
    shop.clock.at += 31_000
    await changes.tick()
    expect(await ended(changes)).toMatchObject({
      state: 'failed',
      error: 'The store moved to another database before it was done.',
    })
    shop.clock.at += 1
    const id = await begin(shop, 'sqlite')
    await shop.store.run(endChange, { id, was: 'running', error: null, now: shop.clock.now() })
    const privilege = await shop.privilege('undoIndex', { id })
    await expect(changes.undo({ id, privilege })).rejects.toEqual(refused('CONFLICT'))
  })
})
