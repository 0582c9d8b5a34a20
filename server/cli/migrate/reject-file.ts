import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { RunEvent } from '@/server/migration'

/** Keeps rejected rows in a file, one JSON object a line. It is there once there is one. */
export function openRejectFile(path: string) {
  let file: string | null = null
  return {
    /** Where they are; null while there are none. */
    get file() {
      return file
    },
    add({ rows, first }: Extract<RunEvent, { type: 'rejects' }>): void {
      const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
      if (text === '') {
        if (first && file) rmSync(file)
        if (first) file = null
        return
      }
      if (first) writeFileSync(path, text)
      else appendFileSync(path, text)
      file = resolve(path)
    },
  }
}
