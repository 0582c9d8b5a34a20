import { join } from 'node:path'
import { type Audit, auditKeys, type LogPlace, openAudit } from './audit'
import type { Clock } from './clock'
import { type Database, tlsOptions } from './database'
import type { Env } from './env'
import type { Log } from './log'
import type { OpenedStore } from './open-store'

interface Deps extends Pick<OpenedStore, 'store' | 'vault'> {
  clock: Clock
  log: Log
  /** The database under the store; another one after a switchover. */
  database(): Database
}

/** Opens what watches over the audit log of the console that the environment describes. */
export function openConsoleAudit(env: Env, { store, vault, clock, log, database }: Deps): Audit {
  const deps = { store, clock, log, keys: auditKeys(vault), place: () => logPlace(database()) }
  return openAudit(deps, checkpointFolder(env))
}

/** Signs the end of the log after what a command line has done: a console that would do so may not run. */
export async function signLog(env: Env, deps: Deps): Promise<void> {
  await openConsoleAudit(env, deps)
    .checkpoint()
    .catch((error: unknown) => deps.log.error({ error }, 'no checkpoint of the audit log'))
}

/** Where the signed checkpoints of the audit log stand: outside of the store. */
export const checkpointFolder = (env: Env) => env.AUDIT_CHECKPOINT_DIR ?? join(env.HOLDFAST_DATA_DIR, 'audit')

/** Where the log itself stands, past any pooler. */
function logPlace(database: Database): LogPlace {
  if (database.dialect === 'sqlite') return { dialect: 'sqlite', file: database.file }
  const { host, port, direct, ssl, ca, database: name, user, password, schema } = database.client.config
  const server = direct ?? { host, port }
  return {
    dialect: 'postgresql',
    ...{ host: server.host, port: server.port, database: name, user, password, schema },
    ssl: tlsOptions(server.host, ssl, ca),
  }
}
