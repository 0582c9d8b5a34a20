const secret =
  /pass(?!key)|secret|token|hash|salt|sealed|private|credential|cookie|authorization|^code$|apikey|^key$/i

/** JSON text of a state, keys sorted, with everything that looks like a secret cut out. It reads as it is written. */
export function cutSecrets(state: Record<string, unknown> | null | undefined): string | null {
  if (state == null) return null
  return JSON.stringify(cut(state)).replace(/[\x7f-\x9f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, escaped)
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

function cut(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\p{Cs}/gu, '\ufffd')
  if (Array.isArray(value)) return value.map(cut)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, secret.test(key) && inner != null ? '[cut]' : cut(inner)]),
  )
}
