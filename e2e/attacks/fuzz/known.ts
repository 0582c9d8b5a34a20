import fc from 'fast-check'

const kept = 40

/**
 * What the console's answers taught: identifiers and the like by the name of their field, so that inputs find what is
 * there. Nothing of those who ask is kept: they would end each other's sessions all the time.
 */
export function openKnown(fixed: Record<string, unknown[]>) {
  const learnt = new Map<string, string[]>()
  const own = new Set<string>()

  function learn(area: string, value: unknown): void {
    if (Array.isArray(value)) for (const one of value.slice(0, 50)) learn(area, one)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    if (Object.values(value).some((inner) => own.has(inner as string))) return
    for (const [name, inner] of Object.entries(value)) {
      if (typeof inner === 'string' && inner.length < 200 && taught.has(name)) {
        keep(name === 'id' ? `${area}.id` : name, inner)
        if (area === 'security' && name === 'id' && 'email' in value) keep('userId', inner)
      } else learn(area, inner)
    }
  }

  function keep(name: string, value: string): void {
    const values = learnt.get(name) ?? []
    if (values.includes(value)) return
    values.push(value)
    if (values.length > kept) values.shift()
    learnt.set(name, values)
  }

  return {
    /** Names what belongs to those who ask. */
    spare(value: string) {
      own.add(value)
    },
    learn: (procedure: string, answer: unknown) => learn(areaOf(procedure), answer),
    /** Of a field of a procedure. */
    of(procedure: string, field: string): fc.Arbitrary<unknown> | undefined {
      const ids = /id$/i.test(field) ? (learnt.get(`${areaOf(procedure)}.id`) ?? []) : []
      const values = [
        ...(fixed[`${procedure}.${field}`] ?? fixed[field] ?? []),
        ...(learnt.get(field) ?? []),
        ...ids,
      ]
      return values.length > 0 ? fc.constantFrom(...values) : undefined
    },
  }
}

export type Known = ReturnType<typeof openKnown>

const areaOf = (procedure: string) => procedure.split('.').slice(0, -1).join('.')

/** Names of fields by which something is found again. */
const taught = new Set([
  ...[
    'id',
    'userId',
    'sessionId',
    'blockId',
    'channelId',
    'fingerprint',
    'key',
    'namespace',
    'cursor',
    'rule',
    'path',
  ],
  ...['next', 'actor', 'source', 'target', 'reason', 'challenge', 'factorId'],
])
