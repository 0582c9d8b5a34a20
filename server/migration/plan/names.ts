import { createHash } from 'node:crypto'

/** PostgreSQL cuts identifiers after 63 bytes (NAMEDATALEN - 1). */
export const NAME_BYTES = 63

/** A name as an identifier: both databases double the quotes within. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/**
 * Gives each wanted name once: as it is where it fits and is free, otherwise cut on a character's edge with a
 * hash of the whole, so that names equal in their first 63 bytes stay apart and come out the same every time.
 */
export function namer(): (wanted: string) => string {
  const taken = new Set<string>()
  return (wanted) => {
    let name = Buffer.byteLength(wanted) <= NAME_BYTES ? wanted : shorten(wanted, wanted)
    for (let i = 2; taken.has(name); i++) name = shorten(wanted, `${wanted}#${i}`)
    taken.add(name)
    return name
  }
}

function shorten(wanted: string, salt: string): string {
  const suffix = `_${createHash('sha256').update(salt).digest('hex').slice(0, 8)}`
  let kept = ''
  let bytes = suffix.length
  for (const character of wanted) {
    bytes += Buffer.byteLength(character)
    if (bytes > NAME_BYTES) break
    kept += character
  }
  return kept + suffix
}
