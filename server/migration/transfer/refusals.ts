import { isUtf8 } from 'node:buffer'
import type { PlannedTable, RejectedRow } from '../types'
import type { Key, Scan } from './ranges'
import type { TextEncoding } from './text'

/** Characters of a value that a reject shows. */
const SHOWN = 200

/** A rejected row and its key as the bookkeeping holds it. */
export interface Reject extends Omit<RejectedRow, 'table'> {
  position: string
}

/** Rows that can't be stored, seen before they are sent: a text with NUL, or one in no encoding. */
export class UnstorableText extends Error {}

/**
 * Whether rows were refused for what they hold, so that the same rows would be refused again: data exceptions (22),
 * broken constraints (23), limits of the server (54) and of SQLite's rendering; everything else is a fault.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isRefusal(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return (
    error instanceof UnstorableText ||
    /^(22|23|54)[0-9A-Z]{3}$/.test(code) ||
    code === 'SQLITE_TOOBIG' ||
    code === 'ERR_STRING_TOO_LONG'
  )
}

/** What is wrong with the bytes of a text, or null. In a UTF-16 database they are UTF-16. */
export function flawOf(text: Buffer, encoding: TextEncoding): string | null {
  if (encoding === 'utf8') {
    if (text.indexOf(0) >= 0) return 'The text holds a NUL character.'
    return isUtf8(text) ? null : 'The text is not valid UTF-8.'
  }
  const even = text.length % 2 === 0
  const little = encoding === 'utf16le' || !even ? text : Buffer.from(text).swap16()
  const string = little.toString('utf16le')
  if (string.includes('\0')) return 'The text holds a NUL character.'
  return even && string.isWellFormed() ? null : 'The text is not valid UTF-16.'
}

/** A key as text for people: `id = 7`, `code = 'x', part = 2`. */
export function showKey(scan: Scan, key: Key): string {
  return scan.columns.map((name, i) => `${name} = ${showPart(key[i])}`).join(', ')
}

function showPart(value: unknown): string {
  if (typeof value === 'string') return `'${printable(value)}'`
  return Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : String(value)
}

/** A value as a reject shows it: blobs and texts that are none in hexadecimal. */
export function showValue(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return `\\x${value.subarray(0, SHOWN).toString('hex')}`.slice(0, SHOWN)
  return printable(String(value).slice(0, SHOWN))
}

/** Without NUL, which the bookkeeping can't hold either, and without half a surrogate pair. */
function printable(text: string): string {
  return text.replaceAll('\0', '␀').toWellFormed()
}

/** The line of a COPY at which the server refused it; null where it names none. */
export function lineOf(error: unknown): number | null {
  const line = /^COPY .+?, line (\d+)/m.exec((error as { where?: string }).where ?? '')?.[1]
  return line === undefined ? null : Number(line)
}

/** Column and reason of a server's refusal of one row. */
export function refusalOf(table: PlannedTable, error: unknown): { column: string | null; reason: string } {
  const {
    code = '',
    message,
    where,
    column,
    detail,
  } = error as {
    code?: string
    message: string
    where?: string
    column?: string
    detail?: string
  }
  if (code === 'SQLITE_TOOBIG' || code === 'ERR_STRING_TOO_LONG')
    return { column: null, reason: 'The row is longer than the 1 GB that PostgreSQL takes at once.' }
  const target = column ?? /^COPY .+?, line \d+, column (.+?)(?::|$)/m.exec(where ?? '')?.[1]
  const source = table.columns.find((one) => one.target === target)?.source ?? null
  // The detail of a broken constraint repeats the row; that of a duplicate names the key.
  const more = detail && !/^Failing row/.test(detail) ? ` ${detail.slice(0, 300)}` : ''
  return { column: source, reason: `${sentence(message)}${more}` }
}

function sentence(text: string): string {
  const short = text.length > 300 ? `${text.slice(0, 300)}…` : text
  return `PostgreSQL: ${short.replace(/\.$/, '')}.`
}
