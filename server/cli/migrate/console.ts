import { randomUUID } from 'node:crypto'
import { type Caller, system } from '@/server/audit'
import { systemClock } from '@/server/clock'
import type { Env } from '@/server/env'
import { inputHash, makeGrant } from '@/server/grants'
import { lockDataDir } from '@/server/instance-lock'
import { openLog } from '@/server/log'
import type { Migration, MigrationNews } from '@/server/migration'
import { openConsoleMigration } from '@/server/open-migration'
import { openStore } from '@/server/open-store'
import { version } from '@/server/system/about'
import { openInstances } from '@/server/system/instances'

const sessionId = 'command line'

/** The migrations of a console that is not running, and a caller who holds its machine and master key. */
export interface OfflineConsole {
  migration: Migration
  caller: Caller
  dialect: 'sqlite' | 'postgresql'
  grant(action: string, runId: string): Promise<string>
  /** Stops at a committed batch, and gives the folder back. */
  close(): Promise<void>
}

/** Opens what the environment describes, as the console would. Throws AlreadyServedError while it runs on SQLite. */
export async function openOfflineConsole(
  env: Env,
  publish: (news: MigrationNews) => void,
): Promise<OfflineConsole> {
  const log = openLog(env.LOG_LEVEL)
  const clock = systemClock
  const opened = await openStore(env, log, { serving: true, topologyChanged: () => {} })
  const { store, vault } = opened
  let { database, lock } = opened
  const caller = { ...system, actor: 'command line', sessionId }
  const migration = openConsoleMigration(env, {
    ...{ store, vault, clock, log, publish, topologyChanged: () => {} },
    database: () => database,
    adopt(next) {
      database = next
    },
    takeFolder() {
      lock ??= lockDataDir(env.HOLDFAST_DATA_DIR)
    },
    others: () => openInstances({ store, clock, log, id: randomUUID(), version }).others(),
  })
  return {
    migration,
    caller,
    dialect: database.dialect,
    async grant(action, id) {
      const facts = { sessionId, action, inputHash: inputHash({ id }), method: 'machine' as const }
      return (await store.run(makeGrant, { ...facts, by: caller, now: clock.now() })).grantId
    },
    async close() {
      await migration.close()
      await database.close()
      lock?.release()
    },
  }
}
