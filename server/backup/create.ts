import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@/server/clock'
import { openVault } from '@/server/vault'
import { copyStore } from './copy'
import { digestOf, sync, writeDurably } from './durable'
import { CHECKPOINTS, KEY_FILES, MANIFEST, type Manifest, STORE_FILES, signed } from './manifest'
import type { StorePlace } from './place'
import { keysAsText, sealKeys } from './sealed-keys'

/** What a backup is made of. */
export interface BackupSource {
  place: StorePlace
  /** The master keys, the current one first. */
  keys: readonly [Buffer, ...Buffer[]]
  /** Where the current one stands: a key of the environment is not written out in plain. */
  keyFrom: 'file' | 'environment'
  /** The checkpoints of the audit log, one a line. */
  checkpoints(): Promise<string>
}

export interface BackupOptions {
  /** Folder that holds all backups; it is made when it is not there. */
  folder: string
  /** The release that makes it. */
  version: string
  passphrase?: string | undefined
  /** Leaves the master key out. */
  withoutKey: boolean
}

export interface Backup {
  path: string
  manifest: Manifest
  /** All its files together. */
  bytes: number
}

/** Folders of backups, and of those that are being made. */
export const isBackupName = (name: string) => /^holdfast-\d{8}T\d{6}Z-[0-9a-f]{6}$/.test(name)
export const isPartName = (name: string) => /^\.holdfast-[\w-]+\.part$/.test(name)

/**
 * Makes a backup in a folder of its own, while consoles go on. It has another name until every file of it is on the
 * disk: whatever interrupts it leaves nothing that looks like a backup. Throws a BackupError.
 */
export async function createBackup(
  { clock }: { clock: Clock },
  { place, keys, keyFrom, checkpoints }: BackupSource,
  { folder, version, passphrase, withoutKey }: BackupOptions,
): Promise<Backup> {
  const at = clock.now()
  const name = `holdfast-${new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`
  const part = join(folder, `.${name}.part`)
  await mkdir(join(part, 'audit'), { recursive: true, mode: 0o700 })
  try {
    // Before the store: a checkpoint then signs nothing that the copy does not hold.
    await writeDurably(join(part, CHECKPOINTS), await checkpoints())
    const store = STORE_FILES[place.dialect]
    const copied = await copyStore(place, join(part, store))
    const key = withoutKey ? 'none' : passphrase ? 'sealed' : keyFrom === 'file' ? 'plain' : 'none'
    if (key !== 'none') {
      const content = key === 'sealed' ? sealKeys(keys, passphrase ?? '') : keysAsText(keys)
      await writeDurably(join(part, KEY_FILES[key]), content)
    }
    const names = [store, CHECKPOINTS, ...(key === 'none' ? [] : [KEY_FILES[key]])]
    const files = await Promise.all(
      names.map(async (each) => ({ name: each, ...(await digestOf(join(part, each))) })),
    )
    const [current, ...previous] = keys
    const vault = openVault(current, previous)
    const manifest = signed(
      { ...{ format: 1, version, dialect: place.dialect, at, keyId: vault.keyId, key }, ...copied, files },
      vault,
    )
    await writeDurably(join(part, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
    for (const each of [join(part, 'audit'), part]) await sync(each)
    await rename(part, join(folder, name))
    await sync(folder)
    return { path: join(folder, name), manifest, bytes: bytesOf(manifest) }
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw error
  }
}

export const bytesOf = ({ files }: Manifest) => files.reduce((sum, { bytes }) => sum + bytes, 0)
