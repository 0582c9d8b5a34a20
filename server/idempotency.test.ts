import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { HoldfastError } from './errors'
import { type IdempotentRequest, openIdempotency } from './idempotency'
import { openLog } from './log'
import { openVault } from './vault'

const day = 86_400_000

/** Writes a row of its own each time that it runs, and says which value it ran with. */
const write = unit('test.write-once', function* (tx, { value, fails }: { value: string; fails?: boolean }) {
  const { meta } = tx.tables
  const rows = yield* q(tx.db.select().from(meta))
  yield* q(tx.db.insert(meta).values({ key: `run ${rows.length} ${Math.random()}`, value }))
  if (tx.change) tx.change.made = true
  if (fails) throw new Error('no luck')
  return { zebra: value, apple: [1, null] }
})

const runsOf = async (store: Store) =>
  (await store.db.select().from(store.tables.meta)).filter(({ key }) => key.startsWith('run '))

const vault = openVault(randomBytes(32))

/** A console named `instance` on the store; `living` are those that the register shows. */
function consoleOn(store: Store, instance = 'one', living = new Set(['one', 'two'])) {
  const clock = { at: 1_000, now: () => clock.at }
  const idempotency = openIdempotency({
    ...{ store, vault, clock, log: openLog('error'), instance },
    living: async () => [...living],
  })
  const send = (
    id: string,
    value: string,
    more: Partial<IdempotentRequest> & { work?: () => Promise<unknown> } = {},
  ) => {
    const { work = () => store.run(write, { value }), ...rest } = more
    return idempotency.once({ id, input: value, requestId: 'request', answer: 'unit', ...rest }, work)
  }
  return { send, clock, living }
}

const code = (wanted: string) => expect.objectContaining({ code: wanted })
/** What a killed console leaves: it never gets to the end of its work. */
const never = () => new Promise<never>(() => {})

describeStores((open) => {
  it('does the work of 20 requests at once one time, and gives all the same answer', async () => {
    const store = await open({ connections: 20 })
    const consoles = [consoleOn(store, 'one'), consoleOn(store, 'two')]
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, number) => consoles[number % 2]?.send('a', 'same')),
    )
    expect(new Set(answers.map((given) => JSON.stringify(given?.answer)))).toEqual(
      new Set(['{"zebra":"same","apple":[1,null]}']),
    )
    expect(answers.filter((given) => !given?.again)).toHaveLength(1)
    expect(await runsOf(store)).toHaveLength(1)
  })

  it('refuses another input under a key that was used, and changes nothing', async () => {
    const store = await open()
    const { send } = consoleOn(store)
    await send('a', 'one')
    await expect(send('a', 'two')).rejects.toEqual(code('CHECK_FAILED'))
    await send('b', 'two')
    expect(await runsOf(store)).toHaveLength(2)
  })

  it('lets what failed be tried again', async () => {
    const store = await open()
    const { send } = consoleOn(store)
    for (const answer of ['unit', 'later', 'claimed'] as const) {
      const work = () => store.run(write, { value: 'a', fails: true })
      await expect(send(answer, 'a', { answer, work })).rejects.toThrow('no luck')
      expect(await send(answer, 'a', { answer })).toMatchObject({ answer: { zebra: 'a' }, again: false })
    }
    expect(await runsOf(store)).toHaveLength(3)
  })

  it('forgets an answer after a day', async () => {
    const store = await open()
    const { send, clock } = consoleOn(store)
    await send('a', 'first')
    clock.at += day - 1
    await expect(send('a', 'second')).rejects.toEqual(code('CHECK_FAILED'))
    clock.at += 1
    expect(await send('a', 'second')).toMatchObject({ answer: { zebra: 'second' }, again: false })
    expect(await send('a', 'second')).toMatchObject({ answer: { zebra: 'second' }, again: true })
    expect(await runsOf(store)).toHaveLength(2)
  })

  it('keeps no answer and no input in plain text', async () => {
    const store = await open()
    const { send } = consoleOn(store)
    const work = async () => {
      await store.run(write, { value: 'x' })
      return { key: 'hf_secret-1' }
    }
    await send('a', 'hf_secret-2', { answer: 'later', work })
    expect(await send('a', 'hf_secret-2', { answer: 'later', work: never })).toEqual({
      ...{ answer: { key: 'hf_secret-1' }, again: true },
    })
    const rows = JSON.stringify(await store.db.select().from(store.tables.idempotencyKeys))
    expect(rows).toContain('"answered"')
    expect(rows).not.toContain('hf_secret')
  })

  it('answers for a console that was killed after its commit, and never does the change twice', async () => {
    const store = await open()
    const [one, two] = [consoleOn(store, 'one'), consoleOn(store, 'two')]
    const killedAfter = (id: string, answer: IdempotentRequest['answer']) =>
      new Promise<void>((committed) => {
        void one.send(id, id, {
          answer,
          work: async () => {
            await store.run(write, { value: id })
            committed()
            return never()
          },
        })
      })
    await killedAfter('unit', 'unit')
    await killedAfter('nothing', 'nothing')
    await killedAfter('later', 'later')
    expect(await two.send('unit', 'unit')).toMatchObject({ answer: { zebra: 'unit' }, again: true })
    expect(await two.send('nothing', 'nothing', { answer: 'nothing' })).toEqual({ again: true })
    await expect(two.send('later', 'later', { answer: 'later' })).rejects.toEqual(code('IN_PROGRESS'))
    two.living.delete('one')
    await expect(two.send('later', 'later', { answer: 'later' })).rejects.toMatchObject({
      ...{ code: 'CONFLICT', details: { done: true } },
    })
    expect(await runsOf(store)).toHaveLength(3)
  })

  it('hands a claim to the next only when its console is gone, and then refuses what that still does', async () => {
    const store = await open()
    const [one, two] = [consoleOn(store, 'one'), consoleOn(store, 'two')]
    let wake = () => {}
    const asleep = new Promise<void>((resolve) => {
      wake = resolve
    })
    let began = () => {}
    const begun = new Promise<void>((resolve) => {
      began = resolve
    })
    const stopped = one.send('a', 'a', {
      answer: 'claimed',
      work: async () => {
        began()
        await asleep
        return store.run(write, { value: 'a' })
      },
    })
    await begun
    await expect(two.send('a', 'a', { answer: 'claimed' })).rejects.toMatchObject({
      ...{ code: 'IN_PROGRESS', retryAfterMs: 1_000 },
    })
    two.living.delete('one')
    const done = await two.send('a', 'a', { answer: 'claimed' })
    wake()
    expect(await stopped).toEqual({ ...done, again: true })
    expect(await runsOf(store)).toHaveLength(1)
  })

  it('gives who was late the answer of the first, whatever made it fail', async () => {
    const store = await open()
    const { send } = consoleOn(store)
    const late = send('a', 'a', {
      work: async () => {
        await send('a', 'a')
        throw new HoldfastError('CONFLICT', 'It is there already.')
      },
    })
    expect(await late).toMatchObject({ answer: { zebra: 'a' }, again: true })
    expect(await runsOf(store)).toHaveLength(1)
  })
})
