import { isUtf8 } from 'node:buffer'
import { valueText } from './names'

/** Bytes that a hex dump shows: its text is five times as long. */
const DUMPED = 12 * 1024

export interface StringText {
  text: string
  format: 'json' | 'text' | 'bytes'
  /** Bytes of the string that the text shows. */
  shown: number
}

/** The beginning of a string as text: JSON laid out, text as it is, anything else as a hex dump. */
export function stringText(bytes: Buffer, whole: boolean): StringText {
  const readable = whole ? bytes : withoutCutCharacter(bytes)
  if (!isUtf8(readable) || hasControls(readable)) {
    const dumped = bytes.subarray(0, DUMPED)
    return { text: hexDump(dumped), format: 'bytes', shown: dumped.length }
  }
  const text = readable.toString()
  if (whole && /^\s*[[{]/.test(text) && isJson(text)) {
    return { text: layOutJson(text), format: 'json', shown: readable.length }
  }
  return { text: valueText(readable), format: 'text', shown: readable.length }
}

/** Text of an element, cut at `bytes`. */
export function elementText(bytes: Buffer, limit: number): string {
  if (bytes.length <= limit) return valueText(bytes)
  return `${valueText(withoutCutCharacter(bytes.subarray(0, limit)))}… (${bytes.length} bytes)`
}

/** JSON with two spaces, its numbers and strings as they stand: parsing would round large numbers. */
export function layOutJson(text: string): string {
  const out: string[] = []
  let depth = 0
  const line = () => out.push('\n', '  '.repeat(depth))
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    const last = out.at(-1)
    if (token === ']' || token === '}') {
      depth--
      if (last !== '[' && last !== '{') line()
      out.push(token)
      continue
    }
    if (last === '[' || last === '{') line()
    out.push(token === ':' ? ': ' : token)
    if (token === '[' || token === '{') depth++
    if (token === ',') line()
  }
  return out.join('')
}

/** Offset, sixteen bytes, and the same as text, a line each. */
export function hexDump(bytes: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = [...row]
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'))
      .join('')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
  return lines.join('\n')
}

function hasControls(bytes: Buffer): boolean {
  return bytes.some((byte) => byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)
}

/** Without the bytes of a character that the cut went through. */
function withoutCutCharacter(bytes: Buffer): Buffer {
  for (let cut = 0; cut < 4 && cut <= bytes.length; cut++) {
    const rest = bytes.subarray(0, bytes.length - cut)
    if (isUtf8(rest)) return rest
  }
  return bytes
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
