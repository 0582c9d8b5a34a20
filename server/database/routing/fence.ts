import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** What is known of the cluster beyond the life of this process: a server behind it is never written to. */
export interface Known {
  system: string | null
  timeline: number
}

/** Where that is kept. */
export interface Fence {
  read(): Known
  /** Returns when it is on the disk. */
  write(known: Known): void
}

const NOTHING: Known = { system: null, timeline: 0 }

/** Keeps it in a file, outside the store whose servers it judges. */
export function fenceFile(path: string): Fence {
  return {
    read() {
      try {
        const { system, timeline } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Known>
        return typeof system === 'string' && Number.isInteger(timeline)
          ? { system, timeline: timeline as number }
          : NOTHING
      } catch {
        return NOTHING
      }
    },
    write(known) {
      const next = `${path}.${process.pid}`
      const file = openSync(next, 'w', 0o600)
      writeSync(file, `${JSON.stringify(known)}\n`)
      fsyncSync(file)
      closeSync(file)
      renameSync(next, path)
      const folder = openSync(dirname(path), 'r')
      fsyncSync(folder)
      closeSync(folder)
    },
  }
}

/** Remembers it as long as the process lives: for applications that keep no file. */
export function fenceInMemory(): Fence {
  let known = NOTHING
  return {
    read: () => known,
    write: (next) => {
      known = next
    },
  }
}
