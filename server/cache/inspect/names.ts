import { isUtf8 } from 'node:buffer'

const ESCAPE = /\\x([0-9a-f]{2})/gi
const GLOB_SPECIAL = new Set([...'*?[]\\^-'].map((char) => char.charCodeAt(0)))

/** A key as text: bytes that aren't UTF-8, and characters that can't be seen, as \xNN. {@link keyBytes} reads it back. */
export function keyText(bytes: Buffer): string {
  return shown(bytes, isHidden)
}

/** The text of a value: as {@link keyText}, but with its lines and tabs. */
export function valueText(bytes: Buffer): string {
  return shown(bytes, (code) => isHidden(code) && code !== 9 && code !== 10 && code !== 13)
}

/** The bytes of a key that was written as text. */
export function keyBytes(text: string): Buffer {
  return Buffer.concat(
    parts(text).map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part))),
  )
}

/** Bytes as a glob of Redis that matches them alone. */
export function escapeGlob(bytes: Buffer): Buffer {
  const escaped: number[] = []
  for (const byte of bytes) {
    if (GLOB_SPECIAL.has(byte)) escaped.push(0x5c)
    escaped.push(byte)
  }
  return Buffer.from(escaped)
}

/** A glob that was written as text: \xNN stands for one byte, which matches itself. */
export function globBytes(pattern: string): Buffer {
  return Buffer.concat(
    parts(pattern).map((part) =>
      typeof part === 'number' ? escapeGlob(Buffer.of(part)) : Buffer.from(part),
    ),
  )
}

/** Text between escapes, and the bytes that those stand for. */
function parts(text: string): (string | number)[] {
  const found: (string | number)[] = []
  let from = 0
  for (const match of text.matchAll(ESCAPE)) {
    if (match.index > from) found.push(text.slice(from, match.index))
    found.push(Number.parseInt(match[1] as string, 16))
    from = match.index + match[0].length
  }
  if (from < text.length) found.push(text.slice(from))
  return found
}

function shown(bytes: Buffer, hidden: (code: number) => boolean): string {
  if (isUtf8(bytes)) return escapeText(bytes.toString(), hidden)
  let text = ''
  let from = 0
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    text += escapeText(bytes.toString('utf8', from, at), hidden) + hex(bytes[at] as number)
    from = ++at
  }
  return text + escapeText(bytes.toString('utf8', from), hidden)
}

/** Bytes of the UTF-8 character that begins here; 0 when none does. */
function lengthAt(bytes: Buffer, at: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0
  return length > 0 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0
}

/** A backslash is escaped only where it would read as an escape. */
function escapeText(text: string, hidden: (code: number) => boolean): string {
  let escaped = ''
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (hidden(code)) escaped += [...Buffer.from(text[at] as string)].map(hex).join('')
    else if (code === 0x5c && /^x[0-9a-f]{2}/i.test(text.slice(at + 1, at + 4))) escaped += hex(code)
    else escaped += text[at]
  }
  return escaped
}

/** Controls, marks of no width and of direction: they would make two keys look alike. */
function isHidden(code: number): boolean {
  if (code < 0x20) return true
  if (code < 0x7f) return false
  return (
    code < 0xa0 ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code === 0xfeff
  )
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}
