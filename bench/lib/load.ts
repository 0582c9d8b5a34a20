import { Agent, request } from 'node:http'

export interface Call {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: unknown
}

/** A client of one server that keeps its connections. Throws on any status but 200. */
export function openClient(url: string) {
  const { hostname, port } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  return {
    /** The body of the answer. */
    send({ method, path, headers, body }: Call): Promise<string> {
      return new Promise((resolve, reject) => {
        const content = body === undefined ? undefined : JSON.stringify(body)
        const type = content === undefined ? {} : { 'content-type': 'application/json' }
        const sent = request({ hostname, port, method, path, agent, headers: { ...type, ...headers } })
        sent.on('error', reject)
        sent.on('response', (answer) => {
          let text = ''
          answer.setEncoding('utf8')
          answer.on('data', (chunk) => {
            text += chunk
          })
          answer.on('end', () => {
            if (answer.statusCode === 200) resolve(text)
            else reject(new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`))
          })
        })
        sent.end(content)
      })
    },
    close: () => agent.destroy(),
  }
}

/** Calls without pause from `clients` at once until `ms` have passed. Answers the time that each call took, ms. */
export async function load(
  call: (number: number) => Promise<unknown>,
  { clients, ms }: { clients: number; ms: number },
): Promise<number[]> {
  const until = performance.now() + ms
  const times: number[] = []
  let number = 0
  async function client(): Promise<void> {
    while (performance.now() < until) {
      const begun = performance.now()
      await call(number++)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return times
}

/** The value that a share of all values does not exceed: 0.99 for p99. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}
