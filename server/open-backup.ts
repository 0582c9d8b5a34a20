import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { newest } from '@/db/migrate'
import { retiredReason } from '@/db/retired'
import { auditKeys, CheckpointFiles, openEpochs, recordAudit, system, type VerificationResult } from './audit'
import {
  type Backup,
  BackupError,
  type BackupSource,
  factsOf,
  heldBy,
  nameOf,
  noteBackup,
  type PostgresPlace,
  placeCheckpoints,
  placeStore,
  placeText,
  type StorePlace,
  type VerifiedBackup,
  verifyBackup,
} from './backup'
import { systemClock } from './clock'
import { tlsOptions } from './database'
import { ConfigurationError, type Env } from './env'
import { lockDataDir } from './instance-lock'
import type { Log } from './log'
import { checkpointFolder, openConsoleAudit, signLog } from './open-audit'
import { makeDataDir, migrationsFolder, openStore, storeFile, storeTarget, trusted } from './open-store'
import { openSecurity } from './security'
import { loadMasterKey, openVault } from './vault'

const by = { ...system, actor: 'command line' }

/** Folder of the backups. */
export const backupFolder = (env: Env) => resolve(env.BACKUP_DIR ?? join(env.HOLDFAST_DATA_DIR, 'backups'))

const keyFile = (env: Env) => join(env.HOLDFAST_DATA_DIR, 'master.key')
const previousFile = (env: Env) => join(env.HOLDFAST_DATA_DIR, 'master-keys-previous.txt')

/** The master keys that are at hand, the current one first; none where the console never ran. */
export function keysAtHand(env: Env): Buffer[] {
  if (!env.HOLDFAST_MASTER_KEY && !existsSync(keyFile(env))) return []
  return [loadMasterKey(env.HOLDFAST_DATA_DIR, env.HOLDFAST_MASTER_KEY), ...previousKeys(env)]
}

const previousKeys = (env: Env) => env.HOLDFAST_MASTER_KEYS_PREVIOUS.map((key) => Buffer.from(key, 'base64'))

/** What a backup of the store that the configuration describes is made of. Throws where there is none. */
export function backupSource(env: Env): BackupSource {
  const [key, ...previous] = keysAtHand(env)
  const file = storeFile(env)
  const target = key ? storeTarget(env, openVault(key, previous)) : null
  if (!key || (!target && !existsSync(file))) {
    throw new ConfigurationError(
      `There is no store of Holdfast in ${env.HOLDFAST_DATA_DIR}: set HOLDFAST_DATA_DIR to the console's data folder.`,
    )
  }
  const retired = target ? null : retiredReason(file)
  if (retired) throw new ConfigurationError(retired)
  return {
    place: target ? postgresPlace(env, target) : { dialect: 'sqlite', file },
    keys: [key, ...previous],
    keyFrom: env.HOLDFAST_MASTER_KEY ? 'environment' : 'file',
    checkpoints: () => new CheckpointFiles(checkpointFolder(env)).text(),
  }
}

/** Where a start would look for the store, whether it is there or not; without the key, too. */
export function placeOfStore(env: Env): StorePlace {
  const [key, ...previous] = keysAtHand(env)
  const target = storeTarget(env, key ? openVault(key, previous) : { open: () => '' })
  return target ? postgresPlace(env, target) : { dialect: 'sqlite', file: storeFile(env) }
}

type Target = NonNullable<ReturnType<typeof storeTarget>>

/** The server itself, past any pooler, as whoever owns the tables. */
function postgresPlace(env: Env, target: Target): PostgresPlace {
  const own = target.host === env.DB_HOST && target.port === env.DB_PORT
  const [host, port] =
    own && env.DB_DIRECT_HOST
      ? [env.DB_DIRECT_HOST, env.DB_DIRECT_PORT ?? env.DB_PORT]
      : [target.host, target.port]
  const { database, ssl = false } = target
  const { DB_OWNER_USER: owner, DB_OWNER_PASSWORD: ownersPassword = '' } = env
  const [user, password] = owner ? [owner, ownersPassword] : [target.user, target.password]
  return {
    ...{ dialect: 'postgresql', host, port, database, user, password, ssl },
    caFile: env.DB_SSL_CA,
    tls: tlsOptions(host, ssl, trusted(env).ca),
  }
}

/**
 * Notes a backup in the store and its audit log. Answers false where the store is of another release: opening it would
 * upgrade it, which is for the next start to do.
 */
export async function noteMade(env: Env, log: Log, { path, manifest, bytes }: Backup): Promise<boolean> {
  const { dialect, schema, at, key } = manifest
  if (!isCurrent(dialect, schema)) return false
  const opened = await openStore(env, log, { serving: false })
  const { store, vault, database } = opened
  try {
    await store.run(noteBackup, { last: { at, bytes, path }, by, now: systemClock.now(), key })
    await signLog(env, { store, vault, clock: systemClock, log, database: () => database })
  } finally {
    await database.close()
  }
  return true
}

const isCurrent = (dialect: StorePlace['dialect'], schema: number | null) =>
  schema === newest(join(migrationsFolder, dialect === 'sqlite' ? 'sqlite' : 'pg'))

/** Notes in the audit log that no backup could be made. Throws nothing: the store itself may be why. */
export async function noteFailed(
  env: Env,
  log: Log,
  { place }: Pick<BackupSource, 'place'>,
  error: unknown,
): Promise<void> {
  try {
    if (!isCurrent(place.dialect, (await factsOf(place)).schema)) return
    const { store, database } = await openStore(env, log, { serving: false })
    const event = { event: 'sys_backup_made', outcome: 'failure', target: 'backup' } as const
    const reason = error instanceof BackupError ? error.message : (error as Error).name
    await store
      .run(recordAudit, { ...by, time: systemClock.now(), ...event, reason })
      .finally(() => database.close())
  } catch (cause) {
    log.warn({ error: cause }, 'the backup that failed is not in the audit log')
  }
}

export interface Restored {
  backup: VerifiedBackup
  place: string
  epoch: number
  /** Sessions that were ended. */
  sessions: number
  log: VerificationResult
  /** File of the earlier master keys that the backup brought and the configuration does not name. */
  previousKeys: string | null
}

/**
 * Restores a backup where nothing is yet: store, key and checkpoints are put into their places, the log begins a new
 * epoch, everybody is signed out, and the log is verified. Throws, and says what is in the way.
 */
export async function restoreBackup(env: Env, log: Log, path: string): Promise<Restored> {
  makeDataDir(env.HOLDFAST_DATA_DIR)
  const lock = lockDataDir(env.HOLDFAST_DATA_DIR)
  try {
    const given = env.HOLDFAST_MASTER_KEY ? keysAtHand(env) : []
    const openers = { passphrase: env.BACKUP_PASSPHRASE, keys: given }
    const backup = await verifyBackup(path, openers, { chain: false })
    if (!backup.good) {
      const [failed] = backup.checks.filter(({ state }) => state === 'failed')
      throw new BackupError(`The backup is not good: ${failed?.detail}`, 'Take another one.')
    }
    const place = placeFor(env, backup)
    const keys = keysFor(env, backup)
    await refuseHeld(env, place, keys[0])
    await placeCheckpoints(path, backup.manifest, checkpointFolder(env))
    if (!env.HOLDFAST_MASTER_KEY) await placeText(keyFile(env), `${keys[0].toString('base64')}\n`)
    await placeStore(path, place)
    const previous = keys.slice(1).map((key) => key.toString('base64'))
    const all = [...new Set([...env.HOLDFAST_MASTER_KEYS_PREVIOUS, ...previous])]
    const settled = await settle({ ...env, HOLDFAST_MASTER_KEYS_PREVIOUS: all }, log, backup.manifest.at)
    const file = all.length > env.HOLDFAST_MASTER_KEYS_PREVIOUS.length ? previousFile(env) : null
    if (file) await placeText(file, `${all.join(',')}\n`)
    return { ...settled, backup, place: nameOf(place), previousKeys: file }
  } finally {
    lock.release()
  }
}

function placeFor(env: Env, { manifest }: VerifiedBackup): StorePlace {
  if (manifest.dialect === 'sqlite') {
    if (env.DB_TYPE !== 'postgresql') return { dialect: 'sqlite', file: storeFile(env) }
    throw new BackupError(
      'The backup is of a SQLite store, and DB_TYPE is postgresql.',
      'Remove DB_TYPE and restore; npm run migrate moves the store to PostgreSQL afterwards.',
    )
  }
  // No key: what an earlier switchover chose is refused below, since the folder must be empty.
  const target = env.DB_TYPE === 'postgresql' ? storeTarget(env, { open: () => '' }) : null
  if (target) return postgresPlace(env, target)
  throw new BackupError(
    'The backup is of a store on PostgreSQL.',
    'Set DB_TYPE=postgresql and the DB_ variables of an empty database.',
  )
}

/** The master keys to go on with. */
function keysFor(env: Env, { manifest, keys }: VerifiedBackup): readonly [Buffer, ...Buffer[]] {
  const [given] = env.HOLDFAST_MASTER_KEY ? keysAtHand(env) : []
  if (given && openVault(given).keyId !== manifest.keyId) {
    throw new BackupError(
      `HOLDFAST_MASTER_KEY is the key ${openVault(given).keyId}, and the backup was made with ${manifest.keyId}.`,
      'Set that one; it can be replaced after the restore.',
    )
  }
  if (keys) return keys
  throw new BackupError(
    manifest.key === 'sealed'
      ? 'The master key in the backup is sealed, and BACKUP_PASSPHRASE is not set.'
      : `The master key ${manifest.keyId} is not in the backup.`,
    manifest.key === 'sealed'
      ? 'Set BACKUP_PASSPHRASE to the one that it was made with.'
      : 'Set HOLDFAST_MASTER_KEY to it: without it nothing that is sealed can be read.',
  )
}

/** What must not be there, by name. */
async function refuseHeld(env: Env, place: StorePlace, key: Buffer): Promise<void> {
  const remedy = 'A restore overwrites nothing: move it away, or name another place.'
  const folder = env.HOLDFAST_DATA_DIR
  for (const name of ['store.json', 'holdfast.db', 'holdfast.db-wal', 'holdfast.db-shm']) {
    if (!existsSync(join(folder, name))) continue
    throw new BackupError(`The data folder ${folder} is not empty: it holds ${name}.`, remedy)
  }
  const there = existsSync(keyFile(env)) ? loadMasterKey(folder, undefined) : null
  if (there && !there.equals(key))
    throw new BackupError(`The data folder ${folder} is not empty: it holds another master.key.`, remedy)
  const held = place.dialect === 'postgresql' ? await heldBy(place) : null
  if (held) throw new BackupError(`The database ${nameOf(place)} is not empty: it holds ${held}.`, remedy)
}

/** Brings what was put there to this release, says so in its log, ends the sessions, and verifies. */
async function settle(
  env: Env,
  log: Log,
  madeAt: number,
): Promise<Pick<Restored, 'epoch' | 'sessions' | 'log'>> {
  const { store, vault, database } = await openStore(env, log, { serving: false })
  try {
    const deps = { store, vault, clock: systemClock, log }
    const audit = openConsoleAudit(env, { ...deps, database: () => database })
    const { publicKeys } = auditKeys(vault)
    const epochs = openEpochs({ ...deps, publicKeys, checkpoints: () => audit.checkpoints() })
    const reason = `Restored from the backup of ${new Date(madeAt).toISOString()}.`
    const { epoch } = await epochs.restored(
      { reason },
      { ...{ by, grantId: null }, machine: true, justPlaced: true },
    )
    const { machine } = openSecurity(deps, {
      accessMs: env.JWT_ACCESS_EXPIRES_IN,
      refreshMs: env.JWT_REFRESH_EXPIRES_IN,
      url: env.HOLDFAST_URL,
    })
    const sessions = await machine.endSessions(by)
    await audit.checkpoint()
    const verified = await audit.verifyHere(by, () => {})
    await audit.checkpoint()
    return { epoch, sessions, log: verified }
  } finally {
    await database.close()
  }
}
