import { randomUUID } from 'node:crypto'
import type { Operation } from './document'
import type { Wire } from './wire'

/** What one procedure is asked for. */
export interface Asked {
  operation: Operation
  input: unknown
}

const json = { 'content-type': 'application/json' }

/** A procedure over REST; null where the input fits into no address. */
export function overRest({ operation: { method, path }, input }: Asked): Wire | null {
  const fields = typeof input === 'object' && input !== null && !Array.isArray(input) ? { ...input } : null
  if (!fields) return method === 'POST' ? { method, path, headers: json, body: text(input) } : null
  const left = fields as Record<string, unknown>
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
    const value = String(left[name] ?? '')
    delete left[name]
    return escaped(value) || 'none'
  })
  if (method === 'POST') {
    const some = input !== undefined && Object.keys(left).length > 0
    return { method, path: filled, headers: some ? json : {}, body: some ? text(left) : null }
  }
  const query = Object.entries(left).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((one) => one !== null && one !== undefined)
      .map((one) => `${escaped(name)}=${escaped(typeof one === 'object' ? text(one) : String(one))}`),
  )
  const path_ = query.length > 0 ? `${filled}?${query.join('&')}` : filled
  return { method, path: path_, headers: {}, body: null }
}

/** The same over tRPC. */
export function overTrpc({ operation: { name, method, input: takes }, input }: Asked): Wire {
  const path = `/api/trpc/${name}`
  if (method === 'POST') return { method, path, headers: json, body: takes ? text(input) : null }
  const query = takes ? `?input=${escaped(text(input))}` : ''
  return { method, path: `${path}${query}`, headers: {}, body: null }
}

/** Several in one request; all of them reads, or all of them changes. */
export function asBatch(asked: Asked[]): Wire {
  const names = asked.map(({ operation }) => operation.name).join(',')
  const inputs = text(Object.fromEntries(asked.map(({ input }, at) => [at, input])))
  const method = asked[0]?.operation.method ?? 'GET'
  const path = `/api/trpc/${names}?batch=1`
  if (method === 'POST') return { method, path, headers: json, body: inputs }
  return { method, path: `${path}&input=${escaped(inputs)}`, headers: {}, body: null }
}

/** Lone surrogates have no UTF-8: in an address each becomes the character for what is none. */
export const escaped = (value: string) => encodeURIComponent(value.toWellFormed())

const text = (value: unknown) => JSON.stringify(value) ?? ''

export const signed = (wire: Wire, headers: Record<string, string>): Wire => ({
  ...wire,
  headers: { ...wire.headers, ...headers },
})

/** What honest clients send beside: keys of changes, and traces. */
export const extras = () => ({
  'idempotency-key': randomUUID(),
  traceparent: `00-${randomUUID().replaceAll('-', '')}-${randomUUID().replaceAll('-', '').slice(16)}-01`,
})
