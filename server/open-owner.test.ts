import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asc, eq } from 'drizzle-orm'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { q, unit } from '@/db/unit'
import { openRetention, recordAudit, system } from './audit'
import { readEdge } from './audit/edge'
import { isAppendOnly } from './audit/protection'
import { setRetention } from './audit/retention-units'
import { parseVariables } from './env'
import { inputHash, makeGrant } from './grants'
import { openLog } from './log'
import { startPgCapture } from './migration/store/pg-capture'
import { openStore } from './open-store'

needsPostgres()

const later = undoAfterEach()
const log = openLog('error')
const password = 'secret'

/** A database with two roles, and what starts a console on it. */
async function place() {
  const { url, database, drop } = await createDatabase()
  const superuser = new Client({ connectionString: url })
  await superuser.connect()
  const id = randomBytes(4).toString('hex')
  const [owner, user] = [`owner_${id}`, `user_${id}`]
  for (const role of [owner, user]) await superuser.query(`create role ${role} login password '${password}'`)
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-owner-'))
  later(async () => {
    await superuser.query(`reassign owned by ${owner}, ${user} to current_user`)
    await superuser.query(`drop owned by ${owner}, ${user}`)
    await superuser.query(`drop role ${owner}, ${user}`)
    await superuser.end()
    await drop()
    rmSync(folder, { recursive: true })
  })
  const { hostname, port } = new URL(url)
  const start = async (more: Record<string, string>) => {
    const env = parseVariables({
      ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: database },
      ...{ DB_USER: user, DB_PASSWORD: password, HOLDFAST_DATA_DIR: folder, ...more },
    })
    const opened = await openStore(env, log, { serving: false, topologyChanged: () => {} })
    later(() => opened.database.close())
    return opened
  }
  const withOwner = { DB_OWNER_USER: owner, DB_OWNER_PASSWORD: password }
  return { superuser, database, owner, user, start, withOwner }
}

async function note(store: Store, days = 0): Promise<void> {
  const time = Date.now() - days * 86_400_000
  await store.run(recordAudit, { ...system, time, event: 'sys_test', outcome: 'success' })
}

const changes = ['update audit_events set actor = $$x$$', 'delete from audit_events', 'truncate audit_events']

describe('a store on PostgreSQL with an owner', { timeout: 60_000 }, () => {
  it('lets the console add to its audit log and no more, and pruning goes by the owner’s function', async () => {
    const { superuser, database, owner, start, withOwner } = await place()
    await superuser.query(`alter database ${database} owner to ${owner}`)
    const { store, database: opened } = await start(withOwner)
    expect(await isAppendOnly(store)).toBe(true)
    for (const days of [40, 30, 20, 0]) await note(store, days)
    for (const sql of [
      ...changes,
      'alter table audit_events disable trigger all',
      'drop table audit_events',
      'delete from audit_head',
      'create table mine (id int)',
      `set session_replication_role = replica`,
    ])
      await expect(opened.query(sql), sql).rejects.toMatchObject({ code: '42501' })

    const { auditEvents, auditHead, meta } = store.tables
    const now = Date.now()
    const by = { ...system, sessionId: 'session' }
    const { grantId } = await store.run(makeGrant, {
      ...{ sessionId: 'session', action: 'security.audit.setRetention', method: 'otp', by, now },
      inputHash: inputHash({ days: 25 }),
    })
    await store.run(setRetention, { days: 25, by, grantId, now })
    const checkpoint = async () => {
      const [head] = await store.db.select().from(auditHead)
      return head ?? null
    }
    const clock = { now: () => now }
    await openRetention({ store, clock, log, checkpoint }).tend()
    const rows = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
    expect(rows[0]?.seq).toBe(3)
    expect(await readEdge(store)).toMatchObject({ seq: 2 })

    // The function itself demands a checkpoint that fits, an old event, and a prefix.
    const prune = (upTo: number, seq: number, hash = rows.find((row) => row.seq === seq)?.hash ?? '') =>
      opened.query('select public.holdfast_prune_audit($1, $2, $3, 10)', [upTo, seq, hash])
    await expect(prune(3, 4, 'f'.repeat(64))).rejects.toThrow(/No checkpoint/)
    await expect(prune(4, 3)).rejects.toThrow(/No checkpoint/)
    await expect(prune(4, 5)).rejects.toThrow(/last day/)
    await opened.query(`select set_config('holdfast.pruned_to', '99', false)`)
    await expect(opened.query('delete from audit_events')).rejects.toMatchObject({ code: '42501' })
    // Every other table is the console's to write to.
    const write = unit('test.write', function* (tx, _: null) {
      yield* q(tx.db.insert(meta).values({ key: 'test', value: '1' }))
      yield* q(tx.db.delete(meta).where(eq(meta.key, 'test')))
    })
    await store.run(write, null)
    const again = await start(withOwner)
    expect(await isAppendOnly(again.store)).toBe(true)
  })

  it('takes over a store that one role has made, once it may, and says what to do until then', async () => {
    const { superuser, database, owner, user, start, withOwner } = await place()
    await superuser.query(`alter database ${database} owner to ${user}`)
    const alone = await start({})
    await note(alone.store)
    expect(await isAppendOnly(alone.store)).toBe(false)
    for (const sql of changes)
      await expect(alone.database.query(sql), sql).rejects.toThrow(/takes new events alone/)
    const grants = `ALTER DATABASE … OWNER TO "${owner}"; GRANT "${user}" TO "${owner}";`
    await expect(start(withOwner)).rejects.toThrow(grants)
    await superuser.query(grants.replace('…', database))
    const { store } = await start(withOwner)
    expect(await isAppendOnly(store)).toBe(true)
    await superuser.query(`REVOKE ${user} FROM ${owner}`)
    const later = await start(withOwner)
    await note(later.store)
    expect(await later.store.db.select().from(later.store.tables.auditEvents)).toHaveLength(2)
    await expect(start({ ...withOwner, DB_USER: owner })).rejects.toThrow(/are both/)
    await expect(start({ ...withOwner, DB_OWNER_PASSWORD: 'wrong' })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    })
  })

  it('leaves a store that keeps a way back to SQLite to the role that notes its changes', async () => {
    const { superuser, database, user, owner, start, withOwner } = await place()
    await superuser.query(`alter database ${database} owner to ${user}`)
    const { database: opened } = await start({})
    if (opened.dialect !== 'postgresql') throw new Error('not on PostgreSQL')
    await startPgCapture(opened.client)
    await superuser.query(`alter database ${database} owner to ${owner}; grant ${user} to ${owner}`)
    const { store } = await start(withOwner)
    expect(await isAppendOnly(store)).toBe(false)
  })

  it('upgrades the store of an earlier release', async () => {
    const { superuser, database, owner, user, start, withOwner } = await place()
    const dump = readFileSync(join('db', 'fixtures', '0.5.0', 'store.pg.sql'), 'utf8')
    await superuser.query(`alter database ${database} owner to ${owner}; grant ${user} to ${owner}`)
    await superuser.query(`set role ${user}; reset role`)
    await superuser.query(
      `grant create on database ${database} to ${user}; grant create on schema public to ${user}`,
    )
    await superuser.query(`set role ${user}`)
    await superuser.query(dump)
    await superuser.query('reset role')
    const { store } = await start(withOwner)
    expect(await isAppendOnly(store)).toBe(true)
    await note(store)
  })
})
