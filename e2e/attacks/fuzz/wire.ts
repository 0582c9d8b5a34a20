import { Agent, request } from 'node:http'
import { connect } from 'node:net'

/** A request as it goes over the network. */
export interface Wire {
  method: string
  /** Path and query, as they stand in the request line. */
  path: string
  headers: Record<string, string>
  body: string | Buffer | null
}

export interface Answered {
  /** 0 where the connection ended without an answer. */
  status: number
  text: string
  /** Why there is no answer. */
  lost?: string
}

/** Longer than what the console itself waits for: advice may be looked for twice, for 30 s each. */
const patienceMs = 100_000

/** Sends requests to a console on 127.0.0.1, over connections that are kept. */
export function openWire(port: number) {
  const agent = new Agent({ keepAlive: true })

  function send({ method, path, headers, body }: Wire): Promise<Answered> {
    return new Promise((resolve) => {
      const lost = ({ message }: Error) => resolve({ status: 0, text: '', lost: message })
      const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const options = { host: '127.0.0.1', port, method, path, agent, headers: { ...length, ...headers } }
      const asked = request(options, (answer) => {
        const status = answer.statusCode ?? 0
        const stream = String(answer.headers['content-type']).startsWith('text/event-stream')
        const chunks: Buffer[] = []
        const done = () => resolve({ status, text: Buffer.concat(chunks).toString() })
        answer.on('data', (chunk) => {
          chunks.push(chunk)
          // An event stream has no end: it is dropped as soon as it has said something.
          if (!stream || !/^(id: |event: serialized-error)/m.test(String(chunk))) return
          done()
          asked.destroy()
        })
        answer.once('end', done)
        answer.once('error', lost)
      })
      const patience = setTimeout(
        () => asked.destroy(new Error(`no answer within ${patienceMs} ms`)),
        patienceMs,
      )
      asked.once('close', () => clearTimeout(patience))
      asked.once('error', lost)
      asked.end(body ?? undefined)
    })
  }

  return {
    send,
    /** Writes bytes that may be no HTTP; an answer, or the connection's end, is right. */
    raw(bytes: Buffer): Promise<Answered> {
      return new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1')
        let text = ''
        const end = () => {
          socket.destroy()
          resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text })
        }
        socket.on('data', (chunk) => {
          text += chunk
          end()
        })
        for (const event of ['end', 'error', 'close']) socket.once(event, end)
        // What is only the beginning of a request waits for its rest.
        socket.setTimeout(1_000, end)
        socket.end(bytes)
      })
    },
    close: () => agent.destroy(),
  }
}

/** A request as a line that sends it again. */
export function told({ method, path, headers, body }: Wire): string {
  const shown = Object.entries(headers).filter(([name]) => name !== 'authorization')
  const bytes = Buffer.from(body ?? '')
  const text = bytes.length > 4_000 ? `${bytes.subarray(0, 4_000)}… (${bytes.length} bytes)` : bytes
  return `${method} ${path.slice(0, 4_000)}\n  ${JSON.stringify(Object.fromEntries(shown))}\n  ${text}`
}
