import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as rest } from 'node:timers/promises'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A message that a webhook receiver got: exactly what came over the network. */
export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Receiver {
  url: string
  received: Received[]
  close(): Promise<void>
}

/** What a receiver answers; `hang` answers nothing, `break` closes the connection. */
export type Reply = number | { status: number; headers: Record<string, string> } | 'hang' | 'break'

/** An HTTP server on 127.0.0.1 that keeps what it gets; `reply` is asked for each message, which counts from 0. */
export async function startReceiver(
  reply: (at: number, message: Received) => Reply = () => 204,
): Promise<Receiver> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const message = {
      ...{ path: request.url ?? '', headers: request.headers },
      body: Buffer.concat(chunks).toString('utf8'),
    }
    received.push(message)
    const answer = reply(received.length - 1, message)
    if (answer === 'hang') return
    if (answer === 'break') return void request.socket.destroy()
    const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer
    response.writeHead(status, headers).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A mail as its server took it. */
export interface Mail {
  from: string
  to: string[]
  /** Who signed in; null without. */
  user: string | null
  /** Whether it came over TLS. */
  secure: boolean
  /** Headers and body, as they came. */
  raw: string
}

export interface MailServer {
  port: number
  mails: Mail[]
  close(): Promise<void>
}

/** An SMTP server on 127.0.0.1 that keeps the mail it takes. It takes one user, where `user` is given. */
export async function startMailServer(
  options: SMTPServerOptions & { account?: { user: string; password: string } } = {},
): Promise<MailServer> {
  const { account, ...more } = options
  const mails: Mail[] = []
  const server = new SMTPServer({
    // What it offers is what the test says: its own certificate is known to nobody.
    ...(more.key ? {} : { disabledCommands: ['STARTTLS', ...(account ? [] : ['AUTH'])] }),
    ...(account ? {} : { authOptional: true }),
    logger: false,
    onAuth({ username, password }, _session, callback) {
      if (username === account?.user && password === account?.password) callback(null, { user: username })
      else callback(new Error('Invalid username or password'))
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          user: typeof session.user === 'string' ? session.user : null,
          secure: session.secure,
          raw: Buffer.concat(chunks).toString('utf8'),
        })
        callback()
      })
    },
    ...more,
  })
  // A client that hangs up in the middle is its own affair.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** Waits until it is true; fails after 15 seconds. */
export async function until(condition: () => boolean | Promise<boolean>, what = 'It'): Promise<void> {
  const end = Date.now() + 15_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what} did not become true.`)
    await rest(10)
  }
}
