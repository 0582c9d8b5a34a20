/** What grants something to whoever reads it, wherever it stands: JWTs, API keys, PEM keys, Authorization headers. */
const tokens = [
  /\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g,
  /\bhf_[\w-]{20,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b(?:Bearer|Basic) +[\w+/=.~-]{8,}/gi,
]

/** A value with the tokens in its texts cut out, however deep they stand. Fields are cut by their names later on. */
export function withoutTokens(value: string): string
export function withoutTokens(value: unknown): unknown
export function withoutTokens(value: unknown): unknown {
  if (typeof value === 'string') return tokens.reduce((text, token) => text.replace(token, '[cut]'), value)
  if (Array.isArray(value)) return value.map(withoutTokens)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutTokens(inner)]))
}
