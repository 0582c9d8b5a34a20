import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Log } from '@/server/log'
import type { KeyJournal } from './pending'

/** A line that stands for: more keys than were remembered. */
const EVERYTHING = '*'
const PERIOD = 50
const MAX_LINES = 300_000

/**
 * Keeps pending keys in a file, so that a console that starts again deletes them before it uses Redis. Lines are
 * gathered for 50 ms, so a crash may lose the last of them; the file is emptied when nothing is pending.
 */
export class Journal implements KeyJournal {
  readonly #file: string
  readonly #deps: { log: Log; keys: () => string[] }
  #lines: string[] = []
  #emptied = false
  #writing = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #failed = false
  #everything = false
  #written = 0
  #closed = false

  /** `keys`: all that are pending now. */
  constructor(deps: { log: Log; keys: () => string[] }, file: string) {
    this.#deps = deps
    this.#file = file
  }

  /** What an earlier process left. Never throws: an unreadable file means that everything is to be deleted. */
  read(): { keys: string[]; everything: boolean } {
    try {
      mkdirSync(dirname(this.#file), { recursive: true })
      const lines = readFileSync(this.#file, 'utf8').split('\n').filter(Boolean)
      const keys = new Set<string>()
      let everything = false
      for (const line of lines) {
        const key = parse(line)
        if (key === undefined) everything = true
        else keys.add(key)
      }
      return { keys: [...keys], everything }
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (!missing) this.#warn(error)
      return { keys: [], everything: !missing }
    }
  }

  added(key: string): void {
    this.#put(JSON.stringify(key))
  }

  overflowed(): void {
    if (this.#everything) return
    this.#everything = true
    this.#put(EVERYTHING)
  }

  emptied(): void {
    this.#lines = []
    this.#everything = false
    this.#emptied = true
    this.#arm()
  }

  /** Writes what is gathered, at once. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#writing
    try {
      if (this.#emptied || this.#lines.length > 0) {
        writeFileSync(this.#file, text(this.#lines), { flag: this.#emptied ? 'w' : 'a', mode: 0o600 })
      }
    } catch (error) {
      this.#warn(error)
    }
    this.#lines = []
  }

  #put(line: string): void {
    this.#lines.push(line)
    this.#arm()
  }

  #arm(): void {
    if (this.#closed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#writing.then(() => this.#flush())
    }, PERIOD).unref()
  }

  async #flush(): Promise<void> {
    if (this.#written > MAX_LINES) this.#rewrite()
    const [lines, emptied] = [this.#lines, this.#emptied]
    this.#written = lines.length + (emptied ? 0 : this.#written)
    this.#lines = []
    this.#emptied = false
    try {
      if (emptied) await writeFile(this.#file, text(lines), { mode: 0o600 })
      else if (lines.length > 0) await appendFile(this.#file, text(lines), { mode: 0o600 })
      this.#failed = false
    } catch (error) {
      this.#warn(error)
    }
  }

  /** Keys come and go while others stay: the file is written anew before it becomes long. */
  #rewrite(): void {
    const all = this.#deps.keys().map((key) => JSON.stringify(key))
    this.#lines = this.#everything ? [EVERYTHING, ...all] : all
    this.#emptied = true
  }

  #warn(error: unknown): void {
    if (!this.#failed)
      this.#deps.log.warn({ error }, 'pending keys of the cache cannot be kept in their file')
    this.#failed = true
  }
}

function text(lines: string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

/** The key of a line; undefined for a mark, and for a line that a crash cut off. */
function parse(line: string): string | undefined {
  try {
    const key: unknown = JSON.parse(line)
    return typeof key === 'string' ? key : undefined
  } catch {
    return undefined
  }
}
