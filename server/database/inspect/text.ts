import { createHash } from 'node:crypto'
import { normaliseStatement } from '../advisor'
import { tokenise } from '../advisor/tokens'

/** Longer texts are cut before they are read. */
export const LONGEST_TEXT = 16_384
const LONGEST_SHOWN = 2_000

/**
 * A statement without anybody's data: values become $n, comments go. What follows a quote that never ends, as the
 * server cuts long texts, goes too; so does what follows a backslash before a quote, which not everybody reads alike.
 */
export function hidden(sql: string): string {
  const { text, whole } = readable(sql)
  const { text: normalised } = normaliseStatement(text)
  return whole ? normalised : `${normalised} …`
}

/** The same, as long as a page shows it. */
export function shown(sql: string): string {
  const text = hidden(sql)
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 2)} …` : text
}

/** Names a normalised text, the same everywhere. */
export function fingerprintOf(normalised: string): string {
  return createHash('sha256').update(normalised).digest('hex').slice(0, 32)
}

function readable(sql: string): { text: string; whole: boolean } {
  const cut = sql.length > LONGEST_TEXT
  const text = cut ? sql.slice(0, LONGEST_TEXT) : sql
  const tokens = tokenise(text)
  const doubtful = tokens.find(
    ({ kind, text: token, end }) =>
      (kind === 'mark' && /^['"`]$/.test(token)) ||
      (kind === 'string' && token.endsWith("\\'") && !/^e/i.test(token)) ||
      // A number or a word that the cut went through.
      (cut && end === text.length),
  )
  return doubtful ? { text: text.slice(0, doubtful.start), whole: false } : { text, whole: !cut }
}
