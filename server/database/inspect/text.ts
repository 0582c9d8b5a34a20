import { createHash } from 'node:crypto'
import { normaliseStatement } from '../advisor'
import { type Token, tokenise } from '../advisor/tokens'

/** Longer texts are cut before they are read. */
export const LONGEST_TEXT = 16_384
const LONGEST_SHOWN = 2_000

/**
 * A statement without anybody's data: values become $n, comments go. What follows a quote that never ends goes too,
 * as the server cuts long texts, and what follows a backslash before a quote, which not everybody reads alike.
 * `whole` is false when something is missing.
 */
export function hidden(sql: string): { text: string; whole: boolean } {
  const cut = sql.length >= LONGEST_TEXT
  const text = cut ? sql.slice(0, LONGEST_TEXT) : sql
  const doubtful = tokenise(text).find((token) => isDoubtful(token, text, cut))
  const readable = doubtful ? text.slice(0, doubtful.start) : text
  const normalised = normaliseStatement(readable).text
  return doubtful ? { text: `${normalised} …`.trim(), whole: false } : { text: normalised, whole: !cut }
}

/** The same, as long as a page shows it. */
export function shown(sql: string): string {
  return shortened(hidden(sql).text)
}

/** A text that is hidden already, as long as a page shows it. */
export function shortened(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 2)} …` : text
}

/** Names a normalised text, the same everywhere. */
export function fingerprintOf(normalised: string): string {
  return createHash('sha256').update(normalised).digest('hex').slice(0, 32)
}

function isDoubtful({ kind, text: token, end }: Token, text: string, cut: boolean): boolean {
  if (kind === 'mark') return /^['"`]$/.test(token)
  if (kind === 'string' && token.endsWith("\\'") && !/^e/i.test(token)) return true
  // What the cut went through.
  return cut && end === text.length
}
