import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Vault } from '@/server/vault'
import type { Target } from '../types'

/** The kept outcome of a switchover: it beats the defaults at every later start. */
export interface StoreChoice {
  target: Target
  /** When the console moved, UTC milliseconds. */
  since: number
  /** The SQLite file that was left. */
  retiredFile: string
}

/** Raised when store.json is there and cannot be used; the message is one sentence for whoever starts Holdfast. */
export class StoreChoiceError extends Error {
  // The start shows errors of this name as they are.
  override name = 'ConfigurationError'
}

const fileOf = (dataDir: string) => join(dataDir, 'store.json')
/** Where the store was before it was switched back, until that store knows that it was left. */
const leftFileOf = (dataDir: string) => join(dataDir, 'store-left.json')

/** host:port/database: how a target is named on screen and in sentences. */
export function placeOf({ host, port, database }: Pick<Target, 'host' | 'port' | 'database'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
}

/** Reads where the store was moved to; null when it never was. Throws {@link StoreChoiceError} otherwise. */
export function readStoreChoice(dataDir: string, vault: Pick<Vault, 'open'>): StoreChoice | null {
  return readChoice(fileOf(dataDir), vault)
}

/** Reads which store on PostgreSQL was left and does not know it yet; null when there is none. */
export function readLeftChoice(dataDir: string, vault: Pick<Vault, 'open'>): StoreChoice | null {
  return readChoice(leftFileOf(dataDir), vault)
}

function readChoice(file: string, vault: Pick<Vault, 'open'>): StoreChoice | null {
  if (!existsSync(file)) return null
  let kept: Kept
  try {
    kept = JSON.parse(readFileSync(file, 'utf8')) as Kept
    if (kept.version !== 1 || !kept.target.host) throw new Error('unknown form')
  } catch (cause) {
    throw new StoreChoiceError(
      `${file} says where the store was moved to and cannot be read: restore it from a backup.`,
      { cause },
    )
  }
  const { target, passwordSealed, since, retiredFile } = kept
  try {
    return {
      target: { ...target, password: vault.open(passwordSealed, contextOf(target)) },
      since,
      retiredFile,
    }
  } catch (cause) {
    throw new StoreChoiceError(
      `The password in ${file} does not open with this master key: restore the key that was used on ${new Date(since).toISOString()}, or add it to HOLDFAST_MASTER_KEYS_PREVIOUS.`,
      { cause },
    )
  }
}

/**
 * Keeps where the store lives from now on, with the password sealed. Written beside, flushed and renamed: after
 * a crash the file is whole or was never there.
 */
export function writeStoreChoice(dataDir: string, vault: Pick<Vault, 'seal'>, choice: StoreChoice): void {
  // Whom to trust is the environment's word at every start.
  const { password, ca: _, ...target } = choice.target
  const kept: Kept = {
    version: 1,
    target,
    passwordSealed: vault.seal(password, contextOf(target)),
    since: choice.since,
    retiredFile: choice.retiredFile,
  }
  const file = fileOf(dataDir)
  const draft = `${file}.${process.pid}`
  flushed(openSync(draft, 'w', 0o600), (descriptor) => {
    writeSync(descriptor, `${JSON.stringify(kept, null, 2)}\n`)
  })
  renameSync(draft, file)
  flushed(openSync(dirname(file), 'r'))
}

/** Takes the choice back: from now on the store is the SQLite file again. Durable when it returns. */
export function takeBackStoreChoice(dataDir: string): void {
  renameSync(fileOf(dataDir), leftFileOf(dataDir))
  flushed(openSync(dataDir, 'r'))
}

/** The store that was left knows it. */
export function forgetLeftChoice(dataDir: string): void {
  rmSync(leftFileOf(dataDir), { force: true })
}

interface Kept {
  version: 1
  target: Omit<Target, 'password'>
  passwordSealed: string
  since: number
  retiredFile: string
}

const contextOf = (target: Omit<Target, 'password'>) => `store-choice|${target.user}@${placeOf(target)}`

function flushed(descriptor: number, write?: (descriptor: number) => void): void {
  try {
    write?.(descriptor)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
