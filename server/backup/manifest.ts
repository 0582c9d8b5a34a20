import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Vault } from '@/server/vault'
import { BackupError } from './error'

const manifestSchema = z.object({
  format: z.literal(1),
  /** The release of Holdfast that made it. */
  version: z.string(),
  dialect: z.enum(['sqlite', 'postgresql']),
  /** When it was begun, UTC milliseconds. */
  at: z.int().min(0),
  /** When the store's newest change of schema was made, UTC milliseconds; as its migrations name it. */
  schema: z.int().nullable(),
  /** Id of the master key that seals what is in the store. */
  keyId: z.string(),
  /** How the master key is in it. */
  key: z.enum(['sealed', 'plain', 'none']),
  /** The end of the audit log in the copy. */
  audit: z.object({ epoch: z.int(), seq: z.int(), hash: z.string() }).nullable(),
  files: z.array(
    z.object({
      name: z.string().regex(/^[\w-]+(\.\w+)*(\/[\w-]+(\.\w+)*)?$/),
      bytes: z.int(),
      sha256: z.string(),
    }),
  ),
  /** HMAC-SHA-256 of all the rest by the master key, in hex: who lacks that can't make a backup that passes. */
  mac: z.string(),
})

/** What a backup says of itself, in `manifest.json`. */
export type Manifest = z.infer<typeof manifestSchema>

export const MANIFEST = 'manifest.json'
/** Names of the files of a backup. */
export const STORE_FILES = { sqlite: 'store.db', postgresql: 'store.dump' } as const
export const CHECKPOINTS = 'audit/checkpoints.ndjson'
export const KEY_FILES = { plain: 'master.key', sealed: 'master-key.sealed' } as const

/** Signs what a backup says of itself. */
export function signed(rest: Omit<Manifest, 'mac'>, vault: Pick<Vault, 'mac'>): Manifest {
  return { ...rest, mac: macOf(rest, vault) }
}

/** Whether this master key has signed it. */
export function isSignedBy({ mac, ...rest }: Manifest, vault: Pick<Vault, 'mac'>): boolean {
  return macOf(rest, vault) === mac
}

const macOf = (rest: Omit<Manifest, 'mac'>, vault: Pick<Vault, 'mac'>) =>
  // zod keeps the order of its keys, so that what was read makes the same text as what was written.
  vault.mac('backup-manifest', JSON.stringify(manifestSchema.omit({ mac: true }).parse(rest))).toString('hex')

/** Reads what a backup says of itself. Throws a {@link BackupError} when the folder is none. */
export async function readManifest(folder: string): Promise<Manifest> {
  const content = await readFile(join(folder, MANIFEST), 'utf8').catch((error: { code?: string }) => {
    throw new BackupError(
      error.code === 'ENOENT' || error.code === 'ENOTDIR'
        ? `${folder} is no backup: it has no ${MANIFEST}.`
        : `${join(folder, MANIFEST)} cannot be read (${error.code}).`,
    )
  })
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    value = undefined
  }
  const parsed = manifestSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new BackupError(
    `${join(folder, MANIFEST)} is damaged, or of a newer release of Holdfast (${parsed.error.issues[0]?.path.join('.') || 'no JSON'}).`,
  )
}
