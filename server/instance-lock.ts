import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/** Raised when another process serves the same data folder. */
export class AlreadyServedError extends Error {
  override name = 'AlreadyServedError'
}

export interface InstanceLock {
  release(): void
}

/**
 * Makes this process the only one that serves a SQLite store in `dataDir`. The lock is one that the operating
 * system drops when the process dies, however it dies (an exclusive SQLite transaction on a file of its own);
 * the pid beside it only names the holder. Throws {@link AlreadyServedError} while another one holds it.
 */
export function lockDataDir(dataDir: string): InstanceLock {
  const pidFile = join(dataDir, 'serving.pid')
  const lock = new Database(join(dataDir, 'serving.lock'), { timeout: 0 })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!String((error as { code?: string }).code).startsWith('SQLITE_BUSY')) throw error
    throw new AlreadyServedError(
      `Another Holdfast (pid ${readPid(pidFile)}) already serves ${dataDir}. Stop it, or set HOLDFAST_DATA_DIR to another folder.`,
    )
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return { release: () => lock.close() }
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
