/** One field of what an event says of the state before and after. */
export interface Change {
  path: string
  kind: 'same' | 'changed' | 'added' | 'removed'
  before?: string
  after?: string
}

const MOST = 200

/**
 * The difference between two states, field by field, nested ones by their path. Both are JSON text as the log holds
 * it, or null; text that is no JSON stands for itself.
 */
export function changesOf(before: string | null, after: string | null): Change[] {
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)]
  const paths = [...new Set([...old.keys(), ...fresh.keys()])].slice(0, MOST)
  return paths.map((path) => {
    const [was, is] = [old.get(path), fresh.get(path)]
    const kind = was === undefined ? 'added' : is === undefined ? 'removed' : was === is ? 'same' : 'changed'
    return { path, kind, before: was, after: is }
  })
}

function fieldsOf(text: string | null): Map<string, string> {
  const fields = new Map<string, string>()
  if (text === null) return fields
  try {
    walk('', JSON.parse(text), fields)
  } catch {
    fields.set('text', text)
  }
  return fields
}

function walk(path: string, value: unknown, into: Map<string, string>): void {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  if (inner.length === 0 || isPlainList(value)) into.set(path || 'value', written(value))
  else for (const [key, each] of inner) walk(path ? `${path}.${key}` : key, each, into)
}

const isPlainList = (value: unknown) =>
  Array.isArray(value) && value.every((each) => typeof each !== 'object' || each === null)

function written(value: unknown): string {
  if (typeof value === 'string') return value
  if (isPlainList(value)) return (value as unknown[]).map(written).join(', ') || '[]'
  return JSON.stringify(value)
}
