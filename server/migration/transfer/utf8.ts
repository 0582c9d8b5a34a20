import type Database from 'better-sqlite3'

/**
 * In a UTF-16 database SQLite's hex() gives the bytes of UTF-16. Texts that are kept as bytes are UTF-8 on the other
 * side, whatever the file was in, so that the same text has the same bytes.
 */
export function registerUtf8(db: Database.Database): void {
  if (db.pragma('encoding', { simple: true }) === 'UTF-8') return
  db.function('hex', { deterministic: true, safeIntegers: true }, (value: unknown) => {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(textOf(value))
    return bytes.toString('hex').toUpperCase()
  })
}

/** As SQLite prints it: a real has a point. */
function textOf(value: unknown): string {
  if (value === null) return ''
  const text = String(value)
  return typeof value === 'number' && /^-?\d+$/.test(text) ? `${text}.0` : text
}
