import { createPublicKey } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as rest } from 'node:timers/promises'
import { eq, sql } from 'drizzle-orm'
import { expect, it, vi } from 'vitest'
import type { Store } from '@/db/store'
import { random } from '@/db/testing/library'
import { sharedPostgres } from '@/db/testing/shared'
import { describeStores, testAuditKey } from '@/db/testing/stores'
import { undoAfterEach } from '@/db/testing/undo'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { recordAudit, system } from './append'
import { signerOf } from './checkpoint'
import type { AuditKeys } from './keys'
import type { LogPlace } from './log-source'
import { openAudit } from './open'
import { asSuperuser, keepCopy, named, putBack, readLog, tamperings } from './testing/tampering'
import { verifyLog } from './verify-log'

const signer = signerOf(new Uint8Array(32).fill(5))
const keys: AuditKeys = {
  macs: new Map([[testAuditKey.id, testAuditKey.key]]),
  signer,
  publicKeys: new Map([[signer.id, createPublicKey(signer.privateKey)]]),
}

async function placeOf(store: Store): Promise<LogPlace> {
  if (store.dialect === 'sqlite') {
    const db = store.db as unknown as { all(query: unknown): Promise<string[][]> }
    const [main] = await db.all(sql`pragma database_list`)
    return { dialect: 'sqlite', file: main?.[2] ?? '' }
  }
  const { rows } = await store.db.execute(sql`select current_database() as name`)
  const { host, port, user, password } = sharedPostgres()
  const database = (rows[0] as { name: string }).name
  return { dialect: 'postgresql', host, port, user, password, database, ssl: false }
}

/** Waits for something to be there. */
const until = <T>(ready: () => Promise<T>) =>
  vi.waitFor(
    async () => {
      const answer = await ready()
      if (!answer) throw new Error('It did not come about.')
      return answer
    },
    { timeout: 15_000, interval: 30 },
  )

/** A store with some events, and what watches over them. */
async function watchedIn(later: (step: () => unknown) => void, store: Store, events: number) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-audit-'))
  later(() => rmSync(folder, { recursive: true }))
  const place = await placeOf(store)
  const log = openLog('error', () => {})
  const open = () => {
    const audit = openAudit({ store, clock: systemClock, log, keys, place: () => place }, folder)
    later(() => audit.close())
    return audit
  }
  const append = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, number) =>
        store.run(recordAudit, {
          ...system,
          ...{ time: Date.now(), event: 'user_created', outcome: 'success', target: `user:${number}` },
        }),
      ),
    )
  await append(events)
  const eventsOf = (event: string) =>
    store.db.select().from(store.tables.auditEvents).where(eq(store.tables.auditEvents.event, event))
  return { folder, place, open, append, eventsOf, audit: open() }
}

async function verified(audit: ReturnType<typeof openAudit>) {
  audit.verify(system)
  return until(async () => {
    const { verifying, verified } = await audit.verification()
    return verifying === null && verified
  })
}

describeStores((open, dialect) => {
  // Before the store is closed.
  const later = undoAfterEach()
  const watched = (store: Store, events = 0) => watchedIn(later, store, events)

  it('signs the end of the log soon after a commit, whoever committed, and once more at its end', async () => {
    const { audit, append, folder } = await watched(await open(), 2)
    audit.start()
    await until(async () => (await audit.checkpoints()).at(-1)?.seq === 2)
    await append(1)
    await until(async () => (await audit.checkpoints()).at(-1)?.seq === 3)
    expect(await audit.state()).toMatchObject({
      head: { epoch: 1, seq: 3 },
      checkpoint: { seq: 3 },
      unprotected: { events: 0, oldestAt: null },
      protection: 'tamper-evident, not append-only',
      problem: null,
    })
    await append(4)
    await audit.close()
    expect((await audit.checkpoints()).at(-1)?.seq).toBe(7)
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('has signed a commit within a second, at whatever moment it comes', { timeout: 60_000 }, async () => {
    const { audit, append } = await watched(await open(), 1)
    audit.start()
    await until(async () => (await audit.checkpoints()).at(-1)?.seq === 1)
    // What the machine itself holds up is not counted.
    const stalls = monitorEventLoopDelay({ resolution: 10 })
    stalls.enable()
    const delays: number[] = []
    for (let seq = 2; seq <= 8; seq++) {
      await append(1)
      const committed = performance.now()
      await until(async () => (await audit.checkpoints()).at(-1)?.seq === seq)
      delays.push(performance.now() - committed)
      // Each at another moment of the period.
      await rest(seq * 37)
    }
    stalls.disable()
    expect(Math.max(...delays) - stalls.max / 1e6).toBeLessThan(1_000)
  })

  it('finds in its rounds that an old event was changed, and says how far they are', async () => {
    const { audit, place, eventsOf } = await watched(await open(), 60)
    await audit.checkpoint()
    const tampering = tamperings.find(({ name }) => name === 'hashes one row anew without the key')
    expect(tampering).toBeDefined()
    await asSuperuser(place, async (by) => tampering?.act(by, await readLog(place), random(3)))
    audit.start()
    await until(async () => (await eventsOf('malicious_audit_tampering')).length > 0)
    expect(await eventsOf('malicious_audit_tampering')).toMatchObject([
      { severity: 'critical', reason: expect.stringMatching(/^#\d+ modified/) },
    ])
    await until(async () => (await audit.verification()).verifying === null)
    await until(async () => (await audit.state()).rounds?.last)
    const { rounds, verified } = await audit.state()
    expect(verified).toMatchObject({ by: 'system', result: { sound: false } })
    expect(rounds?.last?.to).toBeGreaterThanOrEqual(60)
  })

  it('tells what no checkpoint protects', async () => {
    const { audit, append } = await watched(await open(), 2)
    await audit.checkpoint()
    await append(3)
    const { unprotected } = await audit.state()
    expect(unprotected.events).toBe(3)
    expect(unprotected.oldestAt).toBeGreaterThan(Date.now() - 60_000)
  })

  it('verifies in a thread, keeps the result, and says in the log who asked', async () => {
    const { audit, open: reopen, eventsOf } = await watched(await open(), 30)
    await audit.checkpoint()
    expect(audit.verify({ ...system, actor: 'ana@example.org' })).toMatchObject({ by: 'ana@example.org' })
    expect(audit.verify(system)).toMatchObject({ by: 'ana@example.org' })
    await until(async () => (await audit.verification()).verifying === null)
    const { verified } = await reopen().verification()
    expect(verified).toMatchObject({
      by: 'ana@example.org',
      error: null,
      result: {
        ...{ sound: true, rows: 30, first: 1, last: 30, found: [] },
        checkpoints: { signed: 1, agreed: 1, latest: { seq: 30 } },
        unprotected: { events: 0 },
      },
    })
    expect(await eventsOf('sys_audit_verified')).toMatchObject([
      { actor: 'ana@example.org', outcome: 'success' },
    ])
  })

  it('goes on from its last checkpoint after a restart', async () => {
    const { audit, append, open: reopen } = await watched(await open(), 5)
    await audit.checkpoint()
    await append(2)
    const again = reopen()
    expect(await again.checkpoint()).toMatchObject({ seq: 7 })
    expect(await verified(again)).toMatchObject({
      result: { sound: true, checkpoints: { signed: 2, agreed: 2 } },
    })
  })

  it.each([
    ['deletes the tail', 'truncated'],
    ['inserts at the end, with the head', 'inserted'],
    ['puts the table back, with its head', 'rolled back'],
  ])('finds by itself that somebody %s, and tells it once', async (name, kind) => {
    const { audit, place, append, eventsOf } = await watched(await open(), 60)
    audit.start()
    await until(async () => (await audit.checkpoints()).at(-1)?.seq === 60)
    const tampering = tamperings.find((each) => each.name === name)
    await asSuperuser(place, async (by) => tampering?.act(by, await readLog(place), random(3)))
    if (kind === 'rolled back') await append(1)
    await until(async () => (await audit.verification()).verified?.result?.sound === false)
    const [told] = await eventsOf('malicious_audit_tampering')
    expect(told).toMatchObject({ severity: 'critical', outcome: 'failure' })
    expect(told?.reason).toContain(kind)
    const toldOf = (await eventsOf('malicious_audit_tampering')).length
    await append(2)
    await verified(audit)
    await verified(audit)
    expect(await eventsOf('malicious_audit_tampering')).toHaveLength(toldOf)
    expect(toldOf).toBeLessThanOrEqual(2)
  })

  it(`names what a superuser of ${dialect} does, whatever it is, and nothing else`, async () => {
    const { audit, place, folder } = await watched(await open(), 60)
    await audit.checkpoint()
    const log = await readLog(place)
    const task = {
      macs: [...keys.macs],
      publicKeys: audit.publicKeys().map(({ id, pem }) => [id, pem] as [string, string]),
    }
    await asSuperuser(place, keepCopy)
    for (const [seed, { name, act }] of tamperings.entries()) {
      const expected = await asSuperuser(place, (by) => act(by, log, random(seed)))
      const { found } = await verifyLog({ ...task, place, folder })
      expect({ name, found: found.map(named) }).toEqual({ name, found: expected })
      await asSuperuser(place, putBack)
    }
    expect((await audit.verifyHere(system, () => {})).found).toEqual([])
  })
})
