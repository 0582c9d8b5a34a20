import { createPublicKey } from 'node:crypto'
import { asc, gt } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores, testAuditKey } from '@/db/testing/stores'
import { unguardAudit } from '@/db/testing/unguard'
import { q, unit } from '@/db/unit'
import { inputHash, makeGrant } from '@/server/grants'
import { openLog } from '@/server/log'
import { type AuditEvent, appendAuditBatch, type Caller, system } from './append'
import { type Checkpoint, signCheckpoint, signerOf } from './checkpoint'
import { openEpochs } from './epoch'
import { judge } from './judge'
import { RESTORED } from './landmarks'
import { Walk } from './walk'

const admin: Caller = { ...system, actor: 'ana@example.org', sessionId: 'session' }
const append = unit('test.append', (tx, events: AuditEvent[]) => appendAuditBatch(tx, events))
const signer = signerOf(new Uint8Array(32).fill(3))
const publicKeys = new Map([[signer.id, createPublicKey(signer.privateKey)]])

/** As a backup of the moment puts it back: the head, and no event behind it. */
const rollBack = unit('test.rollBack', function* (tx, head: { epoch: number; seq: number; hash: string }) {
  const { auditEvents, auditHead } = tx.tables
  yield* q(tx.db.delete(auditEvents).where(gt(auditEvents.seq, head.seq)))
  yield* q(tx.db.update(auditHead).set(head))
})

describeStores((open) => {
  async function opened() {
    const store = await open()
    const signed: Checkpoint[] = []
    let time = 1_800_000_000_000
    const headOf = async (of: Store) => {
      const [head] = await of.db.select().from(of.tables.auditHead)
      if (!head) throw new Error('no head')
      return { epoch: head.epoch, seq: head.seq, hash: head.hash }
    }
    const act = async (events: number) => {
      const event = { ...system, event: 'sys_test', outcome: 'success' } as const
      await store.run(
        append,
        Array.from({ length: events }, () => ({ ...event, time: ++time })),
      )
      signed.push(signCheckpoint({ ...(await headOf(store)), time: ++time }, signer))
    }
    const epochs = openEpochs({
      ...{ store, publicKeys, log: openLog('error', () => {}), clock: { now: () => ++time } },
      checkpoints: async () => signed,
    })
    const restored = async (reason: string) => {
      const { grantId } = await store.run(makeGrant, {
        ...{ sessionId: 'session', action: 'security.audit.restored', method: 'otp', by: admin, now: time },
        inputHash: inputHash({ reason }),
      })
      return epochs.restored({ reason }, { by: admin, grantId })
    }
    /** What a verification finds. */
    const found = async () => {
      const { auditEvents } = store.tables
      const rows = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
      const checkpoints = [...signed].sort((a, b) => a.seq - b.seq)
      const walk = new Walk({ macs: new Map([[testAuditKey.id, testAuditKey.key]]), checkpoints })
      for (const row of rows) walk.add(row)
      return judge(walk, { checkpoints, head: await headOf(store) }).found.map(({ kind }) => kind)
    }
    return { store, signed, act, epochs, restored, found, backup: () => headOf(store) }
  }

  it('is not green when the log went back, until somebody declares it, also after more was written', async () => {
    const { store, act, epochs, restored, found, backup } = await opened()
    await act(10)
    const kept = await backup()
    for (let round = 0; round < 4; round++) await act(5)
    expect(await epochs.look()).toBeNull()
    expect(await found()).toEqual([])
    await unguardAudit(store)
    await store.run(rollBack, kept)
    expect(await epochs.look()).toMatchObject({ kept, signed: { epoch: 1, seq: 30 }, events: 20 })
    expect(await found()).not.toEqual([])
    await act(12)
    expect(await epochs.look()).toMatchObject({ kept: { seq: 14 }, signed: { seq: 30 } })
    expect(await found()).not.toEqual([])

    await expect(epochs.restored({ reason: 'x' }, { by: admin, grantId: null })).rejects.toMatchObject({
      code: 'STEP_UP_REQUIRED',
    })
    const done = await restored('The disk failed; restored from the backup of Monday.')
    expect(done).toMatchObject({ epoch: 2, seq: 24 })
    expect(await epochs.look()).toBeNull()
    await act(3)
    expect(await found()).toEqual([])
    const { auditEvents } = store.tables
    const rows = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
    expect(rows.find(({ event }) => event === RESTORED)).toMatchObject({ epoch: 2, actor: admin.actor })
    expect(rows.at(-1)?.epoch).toBe(2)

    // What a new roll-back takes away is not explained by the old declaration.
    const before = await backup()
    await act(5)
    await store.run(rollBack, before)
    expect(await epochs.look()).toMatchObject({ signed: { epoch: 2 }, events: 5 })
    expect(await found()).not.toEqual([])
  })

  it('begins a new epoch over an empty store, too, and refuses to when nothing is lost', async () => {
    const { store, act, restored, found, epochs } = await opened()
    await act(10)
    await expect(restored('x')).rejects.toMatchObject({ code: 'CONFLICT' })
    await unguardAudit(store)
    await store.run(rollBack, { epoch: 1, seq: 0, hash: '0'.repeat(64) })
    await act(2)
    expect(await epochs.look()).toMatchObject({ events: expect.any(Number) })
    await restored('Began anew.')
    await act(1)
    expect(await found()).toEqual([])
  })

  it('believes no checkpoint that no key of the console has signed', async () => {
    const { act, signed, epochs } = await opened()
    await act(10)
    const stranger = signerOf(new Uint8Array(32).fill(9))
    signed.push(signCheckpoint({ epoch: 1, seq: 99, hash: 'f'.repeat(64), time: 1 }, stranger))
    expect(await epochs.look()).toBeNull()
    signed.push({ ...(signed[0] as Checkpoint), seq: 50 })
    expect(await epochs.look()).toBeNull()
  })
})
