import type { Registry } from 'prom-client'
import { Histogram } from '@/server/histogram'
import { counter, histogram } from './family'

/** What a request asked for; bounded, since paths are chosen by clients. */
export type RequestKind = 'page' | 'trpc' | 'rest' | 'stream' | 'upload' | 'static' | 'health' | 'other'

export interface AnsweredRequest {
  path: string
  status: number
  milliseconds: number
}

/** Counts every answered request by what it asked for and the class of its status. */
export class RequestCounts {
  readonly #counts = new Map<string, { kind: RequestKind; status: string; count: number }>()
  readonly #times = new Map<RequestKind, Histogram>()

  count({ path, status, milliseconds }: AnsweredRequest): void {
    const kind = kindOf(path)
    const label = `${Math.floor(status / 100)}xx`
    const entry = this.#counts.get(`${kind} ${label}`)
    if (entry) entry.count++
    else this.#counts.set(`${kind} ${label}`, { kind, status: label, count: 1 })
    // How long a stream stayed open says nothing about speed.
    if (kind === 'stream') return
    const times = this.#times.get(kind) ?? new Histogram()
    this.#times.set(kind, times)
    times.record(milliseconds)
  }

  register(registry: Registry): void {
    counter(registry, {
      name: 'holdfast_http_requests_total',
      help: 'Answered requests by what they asked for and the class of the status',
      labels: ['kind', 'status'],
      read: () =>
        [...this.#counts.values()].map(({ kind, status, count }) => ({
          labels: { kind, status },
          value: count,
        })),
    })
    histogram(registry, {
      name: 'holdfast_http_request_seconds',
      help: 'Time from a request to the end of its answer; event streams apart',
      read: () => [...this.#times].map(([kind, times]) => ({ labels: { kind }, counts: times.counts() })),
    })
  }
}

const prefixes: [string, RequestKind][] = [
  ['/_next/', 'static'],
  ['/api/trpc/system.live', 'stream'],
  ['/api/trpc/', 'trpc'],
  ['/api/infrastructure/', 'rest'],
  ['/api/auth/', 'rest'],
  ['/api/upload', 'upload'],
  ['/api/health/', 'health'],
  ['/api/metrics', 'health'],
  ['/api/', 'other'],
  ['/.well-known/', 'other'],
]

/** Of event streams, tRPC, REST, pages and the rest, what a path asks for. */
export function kindOf(path: string): RequestKind {
  return prefixes.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'page'
}
