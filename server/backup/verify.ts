import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { auditKeys, verifyingKeys, verifyLog } from '@/server/audit'
import { openVault } from '@/server/vault'
import { contentsOf } from './copy'
import { digestOf } from './durable'
import { BackupError } from './error'
import { isSignedBy, KEY_FILES, type Manifest, readManifest, STORE_FILES } from './manifest'
import { findTool, runTool } from './pg-tools'
import { keysOfText, unsealKeys } from './sealed-keys'

/** What opens a backup. */
export interface Openers {
  passphrase?: string | undefined
  /** Master keys that are at hand without it, the current one first. */
  keys: readonly Buffer[]
}

export interface VerifiedBackup {
  manifest: Manifest
  /** What was looked at, in the order of looking. */
  checks: BackupCheck[]
  good: boolean
  /** The master keys of the backup; null where nothing opens it. */
  keys: [Buffer, ...Buffer[]] | null
}

export interface BackupCheck {
  state: 'ok' | 'warning' | 'failed'
  /** In one sentence. */
  detail: string
}

/** Tables without which a dump is no store. */
const NEEDED = ['users', 'audit_events', 'audit_head', 'meta']

/**
 * Looks whether a backup is whole and could be restored. Throws a BackupError when it is none at all.
 * @param chain whether the audit log in it is verified, too; a dump's can't be before it is restored.
 */
export async function verifyBackup(
  path: string,
  openers: Openers,
  { chain = true }: { chain?: boolean } = {},
): Promise<VerifiedBackup> {
  const manifest = await readManifest(path)
  const checks: BackupCheck[] = []
  const check = async (what: () => Promise<string | BackupCheck>) => {
    try {
      const found = await what()
      checks.push(typeof found === 'string' ? { state: 'ok', detail: found } : found)
    } catch (error) {
      checks.push({ state: 'failed', detail: (error as Error).message })
    }
  }
  const failed = () => checks.some(({ state }) => state === 'failed')
  for (const file of manifest.files) await check(() => checkFile(path, file))
  let keys: VerifiedBackup['keys'] = null
  if (!failed()) {
    await check(async () => {
      keys = await keysOf(path, manifest, openers)
      return keys ? checkSignature(manifest, keys) : withoutKey(manifest)
    })
    await check(() => (manifest.dialect === 'sqlite' ? checkSqlite(path, manifest) : checkDump(path)))
  }
  if (chain && !failed() && keys && manifest.dialect === 'sqlite')
    await check(() => checkChain(path, keys ?? []))
  return { manifest, checks, good: !failed(), keys }
}

async function checkFile(path: string, { name, bytes, sha256 }: Manifest['files'][number]): Promise<string> {
  const there = await stat(join(path, name)).catch(() => null)
  if (!there) throw new BackupError(`${name} is missing.`)
  const found = await digestOf(join(path, name))
  if (found.sha256 === sha256) return `${name}: ${bytes} bytes, checksum as written.`
  throw new BackupError(
    found.bytes === bytes
      ? `${name} is damaged: its checksum is another one.`
      : `${name} is damaged: it has ${found.bytes} bytes of ${bytes}.`,
  )
}

/** The master keys, where they are in it or at hand. */
async function keysOf(
  path: string,
  { key, keyId }: Manifest,
  { passphrase, keys }: Openers,
): Promise<VerifiedBackup['keys']> {
  const read = (name: string) => readFile(join(path, name), 'utf8')
  const found =
    key === 'plain'
      ? keysOfText(await read(KEY_FILES.plain))
      : key === 'sealed' && passphrase
        ? unsealKeys(await read(KEY_FILES.sealed), passphrase)
        : keys
  const [current, ...previous] = found
  if (current && openVault(current).keyId === keyId) return [current, ...previous]
  if (key === 'plain')
    throw new BackupError('The master key in the backup is another one than its manifest names.')
  return null
}

function checkSignature(manifest: Manifest, [current, ...previous]: readonly Buffer[]): string {
  if (current && isSignedBy(manifest, openVault(current, previous)))
    return `The manifest is signed by master key ${manifest.keyId}.`
  throw new BackupError(
    'The manifest is not signed by the master key that it names: somebody has changed it.',
  )
}

function withoutKey({ key, keyId }: Manifest): BackupCheck {
  const detail =
    key === 'sealed'
      ? 'The master key is in it, sealed: set BACKUP_PASSPHRASE to verify it, too.'
      : `The master key ${keyId} is not in it and not at hand: without it nobody can restore this backup.`
  return { state: 'warning', detail }
}

async function checkSqlite(path: string, manifest: Manifest): Promise<string> {
  const client = new BetterSqlite3(join(path, STORE_FILES.sqlite), { readonly: true, fileMustExist: true })
  try {
    const [found] = client.pragma('integrity_check(1)') as { integrity_check: string }[]
    if (found?.integrity_check !== 'ok')
      throw new BackupError(`The copy of the store is damaged: ${found?.integrity_check}.`)
    const { audit } = contentsOf(client)
    if (audit?.hash !== manifest.audit?.hash)
      throw new BackupError('The copy of the store ends its audit log elsewhere than the manifest says.')
    return 'The copy of the store opens, and its pages and indexes fit each other.'
  } finally {
    client.close()
  }
}

async function checkDump(path: string): Promise<string> {
  const tool = await findTool('pg_restore', 1)
  const list = await runTool(tool, ['--list', join(path, STORE_FILES.postgresql)])
  const missing = NEEDED.filter((table) => !new RegExp(` TABLE DATA public ${table} `).test(list))
  if (missing.length > 0) throw new BackupError(`The dump holds no table ${missing.join(', ')}.`)
  return `pg_restore reads the dump: ${list.match(/ TABLE DATA /g)?.length ?? 0} tables. Its audit log is verified when it is restored.`
}

async function checkChain(path: string, [current, ...previous]: readonly Buffer[]): Promise<string> {
  const keys = auditKeys(openVault(current as Buffer, previous))
  const { sound, rows, counts, checkpoints } = await verifyLog({
    place: { dialect: 'sqlite', file: join(path, STORE_FILES.sqlite) },
    folder: join(path, 'audit'),
    ...verifyingKeys(keys),
  })
  if (sound) return `The audit log is sound: ${rows} events, ${checkpoints.agreed} checkpoints agree.`
  throw new BackupError(
    `The audit log does not verify: ${Object.entries(counts)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}.`,
  )
}
