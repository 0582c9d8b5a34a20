import { type IncomingMessage, request } from 'node:http'
import { request as requestOverTls } from 'node:https'
import { text } from 'node:stream/consumers'

export interface Sent {
  method?: string
  headers?: Record<string, string>
  body?: unknown
}

export interface Received {
  status: number
  headers: IncomingMessage['headers']
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail on anything else
  body: any
  ms: number
}

export interface Place {
  port: number
  /** The authority of its certificate: it is asked over https, by the name localhost. */
  ca?: string
}

/** Opens a request from an address of this machine, 127.0.0.1 to 127.255.255.254; resolves with its answer's head. */
export function openFrom(
  { port, ca }: Place,
  localAddress: string,
  path: string,
  { method = 'GET', headers = {}, body }: Sent = {},
): Promise<IncomingMessage> {
  const json = body === undefined ? undefined : JSON.stringify(body)
  const given = json === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, localAddress, agent: false }
    const all = { ...options, headers: { ...given, ...headers } }
    const named = {
      ...all,
      ca,
      servername: 'localhost',
      headers: { host: `localhost:${port}`, ...all.headers },
    }
    const sent = ca ? requestOverTls(named, resolve) : request(all, resolve)
    sent.on('error', reject)
    sent.end(json)
  })
}

/** Asks from an address of this machine. */
export async function askFrom(
  place: Place,
  localAddress: string,
  path: string,
  sent: Sent = {},
): Promise<Received> {
  const begun = performance.now()
  const answer = await openFrom(place, localAddress, path, sent)
  const said = await text(answer)
  const ms = performance.now() - begun
  let body: unknown
  try {
    body = JSON.parse(said)
  } catch {
    body = undefined
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: said, body, ms }
}
