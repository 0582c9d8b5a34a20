import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@/server/clock'
import { type Backup, bytesOf, isBackupName, isPartName } from './create'
import { readManifest } from './manifest'

/** A part that nobody has written to for so long is of a process that was killed. */
const DEAD_AFTER_MS = 24 * 3_600_000

/** The backups of a folder, the newest first; those whose manifest can't be read are named apart. */
export async function listBackups(folder: string): Promise<{ backups: Backup[]; unreadable: string[] }> {
  const names = await readdir(folder).catch((error: { code?: string }) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const backups: Backup[] = []
  const unreadable: string[] = []
  for (const name of names.filter(isBackupName)) {
    const path = join(folder, name)
    const manifest = await readManifest(path).catch(() => null)
    if (manifest) backups.push({ path, manifest, bytes: bytesOf(manifest) })
    else unreadable.push(path)
  }
  return { backups: backups.sort((a, b) => b.manifest.at - a.manifest.at), unreadable }
}

/**
 * Removes the oldest backups beyond the newest `keep` of the store that has this master key, and what killed processes
 * left. Answers the paths of the backups that went.
 */
export async function pruneBackups(
  { clock }: { clock: Clock },
  folder: string,
  { keep, keyId }: { keep: number; keyId: string },
): Promise<string[]> {
  const { backups } = await listBackups(folder)
  const old = backups.filter(({ manifest }) => manifest.keyId === keyId).slice(keep)
  for (const { path } of old) await rm(path, { recursive: true, force: true })
  for (const name of (await readdir(folder)).filter(isPartName)) {
    const { mtimeMs } = await stat(join(folder, name))
    if (clock.now() - mtimeMs > DEAD_AFTER_MS) await rm(join(folder, name), { recursive: true, force: true })
  }
  return old.map(({ path }) => path)
}
