/** What the header of one of our tokens says, and nothing else. */
export interface TokenHeader {
  alg: string
  typ: string
  kid: string
}

/** Ours have about 500 characters. */
const longest = 2_000

/**
 * The header of a token that is written exactly as we write one: three parts, the one spelling of base64url that
 * is canonical, JSON without spaces or doubled names, and a header of alg, typ and kid alone, so that `jwk`,
 * `x5u`, `crit` or `b64` never reach a library (RFC 8725, 3.10). Otherwise null. It proves nothing yet.
 */
export function readHeader(token: string): TokenHeader | null {
  if (token.length > longest) return null
  const parts = token.split('.')
  if (parts.length !== 3) return null
  const [header, claims, signature] = parts.map(decode)
  if (!header || !claims || !signature) return null
  const read = plainJson(header)
  if (!read || !plainJson(claims)) return null
  const { alg, typ, kid, ...others } = read
  if (typeof alg !== 'string' || typeof typ !== 'string' || typeof kid !== 'string') return null
  return Object.keys(others).length === 0 ? { alg, typ, kid } : null
}

function decode(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url')
  return part !== '' && bytes.toString('base64url') === part ? bytes : null
}

/** A JSON object whose text is the one that JSON.stringify makes: a name that stands twice is no such text. */
function plainJson(bytes: Buffer): Record<string, unknown> | null {
  const text = bytes.toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && JSON.stringify(value) === text ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
