import type Database from 'better-sqlite3'
import { flawOf } from './refusals'

export type TextEncoding = 'utf8' | 'utf16le' | 'utf16be'

/** How a database keeps its texts. */
export function textEncoding(db: Database.Database): TextEncoding {
  const name = db.pragma('encoding', { simple: true })
  return name === 'UTF-16le' ? 'utf16le' : name === 'UTF-16be' ? 'utf16be' : 'utf8'
}

/** Makes holdfast_flawed(bytes of a text): 1 where no PostgreSQL database can store the text. */
export function registerText(db: Database.Database): void {
  const encoding = textEncoding(db)
  db.function('holdfast_flawed', { deterministic: true }, (bytes: unknown) =>
    Buffer.isBuffer(bytes) && flawOf(bytes, encoding) !== null ? 1 : 0,
  )
}
