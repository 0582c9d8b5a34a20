import type { Socket } from 'node:net'
import { rootCertificates } from 'node:tls'
import { isHoldfastError } from '@/server/errors'
import { mailText } from './mail-text'
import type { EmailFacts, EmailSecrets, Message, Sent } from './types'

/** A connection to a server, behind the guard. */
export type Connect = (
  host: string,
  port: number,
  options: { timeout: number; signal: AbortSignal },
) => Promise<Socket>

interface Deps {
  connect: Connect
  now: () => number
  url: string
  /** Authorities in PEM that are trusted beside the usual ones. */
  ca?: string | undefined
}

const CONNECT_MS = 10_000
/** Greeting, TLS, and each silence afterwards. */
const SILENCE_MS = 10_000
/** A mail from connection to answer. */
export const mailMs = 30_000

/** Sends a message by SMTP, once. Throws the reason of the signal. */
export async function sendMail(
  { connect, now, url, ca }: Deps,
  message: Message,
  { name, config, password }: { name: string; config: EmailFacts } & EmailSecrets,
  signal: AbortSignal,
): Promise<Sent> {
  // Loaded with the first mail: no start has to wait for it.
  const { createTransport } = await import('nodemailer')
  const { host, port, tls, user, from, to } = config
  const begun = performance.now()
  const took = () => Math.round(performance.now() - begun)
  const late = AbortSignal.timeout(mailMs)
  const ended = AbortSignal.any([signal, late])
  let socket: Socket | undefined
  const cut = () => socket?.destroy()
  ended.addEventListener('abort', cut)
  try {
    socket = await connect(host, port, { timeout: CONNECT_MS, signal: ended })
    const transport = createTransport({
      ...{ host, port, connection: socket, secure: tls === 'implicit' },
      ...{ requireTLS: tls === 'starttls', ignoreTLS: tls === 'none' },
      ...{ greetingTimeout: SILENCE_MS, socketTimeout: SILENCE_MS, connectionTimeout: SILENCE_MS },
      ...(user !== null ? { auth: { user, pass: password ?? '' } } : {}),
      tls: { minVersion: 'TLSv1.2', ...(ca ? { ca: [...rootCertificates, ca] } : {}) },
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    const { response, rejected } = await transport.sendMail({
      ...{ from: { name: 'Holdfast', address: from }, date: new Date(now()) },
      // As objects: text would be read for more addresses than one.
      to: to.map((address) => ({ name: '', address })),
      ...mailText(message, { url, channel: name }),
      messageId: `<${message.id}@holdfast.${new URL(url).hostname}>`,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Holdfast-Message': message.id },
    })
    const missed = rejected.length > 0 ? `; not taken for ${rejected.join(', ')}` : ''
    return { ok: true, answer: `${clean(response)}${missed}`.slice(0, 300), tookMs: took() }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    return {
      ...{ ok: false, answer: answerOf(error), tookMs: took() },
      error: late.aborted
        ? `${host}:${port} did not take the mail within ${mailMs / 1_000} s.`
        : reasonOf(error, config),
    }
  } finally {
    ended.removeEventListener('abort', cut)
    cut()
  }
}

interface SmtpError {
  code?: string
  response?: string
  responseCode?: number
  message?: string
}

function reasonOf(error: unknown, { host, port, tls, user }: EmailFacts): string {
  if (isHoldfastError(error)) return error.remedy ? `${error.message} ${error.remedy}` : error.message
  const { code = '', message = '' } = error as SmtpError
  const server = `${host}:${port}`
  const answer = answerOf(error)
  const said = answer ? ` It said: ${answer}` : ''
  if (code === 'EAUTH' || code === 'ENOAUTH')
    return `${server} did not accept the user ${user ?? ''} and password. Check both.${said}`
  if (code === 'ETLS' || /certificate|SSL|TLS|altname/i.test(message)) return tlsReason(server, tls, message)
  if (code === 'ETIMEDOUT')
    return `${server} stopped answering. Check the port, and that it speaks ${spoken[tls]}.`
  if (code === 'EENVELOPE') return `${server} refuses the sender or the receivers.${said}`
  if (code === 'EMESSAGE') return `${server} refuses the mail.${said}`
  if (code === 'EPROTOCOL') return `${server} answered something that is not SMTP. Check the port.${said}`
  if (code === 'ECONNECTION' || code === 'ESOCKET')
    return `${server} closed the connection. Check that it speaks ${spoken[tls]} at this port.${said}`
  return `${server} did not take the mail.${said}`
}

const spoken = { implicit: 'TLS from the first byte', starttls: 'SMTP with STARTTLS', none: 'SMTP' } as const

function tlsReason(server: string, tls: EmailFacts['tls'], message: string): string {
  if (/self.signed|unable to (verify|get)|altname|expired|not yet valid|certificate/i.test(message)) {
    const why = clean(message.replace(/^Error initiating TLS - /, ''))
    return `The certificate of ${server} is not trusted: ${why}. Give the name that stands in it, or start the console with NODE_EXTRA_CA_CERTS.`
  }
  if (tls === 'starttls')
    return `${server} offers no TLS by STARTTLS. Choose another way of TLS or another port.`
  return `${server} does not speak TLS at this port. Choose STARTTLS, or the port for TLS, such as 465.`
}

function answerOf(error: unknown): string | null {
  const { response } = error as SmtpError
  return response ? clean(response).slice(0, 300) : null
}

/** What a server said, on one line. */
const clean = (text: string) => text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim()
