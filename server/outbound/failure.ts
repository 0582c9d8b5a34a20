import { type ErrorFacts, HoldfastError, isHoldfastError } from '@/server/errors'
import type { OriginFigures } from './types'

export type FailureKind = keyof OriginFigures['failures']

interface Nature {
  kind: FailureKind
  /** Whether another try may end better. */
  again: boolean
  /** Whether it speaks against the origin, so that the breaker counts it. */
  breaks: boolean
}

/** A call without an answer. Its sentence names the host alone: paths and queries may hold secrets. */
export class OutboundFailure extends HoldfastError {
  readonly kind: FailureKind
  readonly again: boolean
  readonly breaks: boolean

  constructor(nature: Nature, facts: ErrorFacts, options?: ErrorOptions) {
    super('TARGET_UNREACHABLE', facts, options)
    this.kind = nature.kind
    this.again = nature.again
    this.breaks = nature.breaks
  }
}

const LATER = 'Try again later.'
const connection = (again: boolean): Nature => ({ kind: 'connection', again, breaks: true })
const timeout = (again: boolean): Nature => ({ kind: 'timeout', again, breaks: true })
const refusal: Nature = { kind: 'refused', again: false, breaks: false }

export function breakerOpen(host: string, retryAfterMs: number): OutboundFailure {
  const message = `${host} did not answer several times, so it is left alone for a while.`
  const remedy = 'Check that the service is up; the next call after the pause tries again.'
  return new OutboundFailure(refusal, { message, remedy, retryAfterMs })
}

export function queueFull(host: string): OutboundFailure {
  const message = `Too many calls wait for a connection to ${host}.`
  return new OutboundFailure(refusal, { message, remedy: LATER, retryAfterMs: 1_000 })
}

export function tooManyOrigins(host: string): OutboundFailure {
  const message = `Too many other servers are being called to call ${host}, too.`
  return new OutboundFailure(refusal, { message, remedy: LATER, retryAfterMs: 1_000 })
}

export function tooLarge(host: string, bytes: number): OutboundFailure {
  const message = `The answer of ${host} is larger than ${bytes} bytes.`
  const remedy = 'Ask for less, or raise maxResponseBytes of the pool.'
  return new OutboundFailure({ kind: 'tooLarge', again: false, breaks: false }, { message, remedy })
}

export function deadlineOver(host: string, milliseconds: number): OutboundFailure {
  const message = `${host} did not answer within ${milliseconds} ms.`
  return new OutboundFailure(timeout(false), { message, remedy: LATER })
}

export function closing(): HoldfastError {
  return new HoldfastError('SHUTTING_DOWN', 'Holdfast is shutting down and calls nobody any more.')
}

const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME_)/

/** What undici or the system threw, as a sentence; `begun` when the answer's head was there already. */
export function failureOf(error: unknown, host: string, begun: boolean): HoldfastError {
  if (isHoldfastError(error)) return error
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  const failure = (nature: Nature, message: string, remedy: string) =>
    new OutboundFailure(nature, { message, remedy }, { cause: error })
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return failure(timeout(true), `${host} did not take a connection in time.`, firewall)
    case 'UND_ERR_HEADERS_TIMEOUT':
      return failure(timeout(true), `${host} did not begin its answer in time.`, LATER)
    case 'UND_ERR_BODY_TIMEOUT':
      return failure(timeout(false), `${host} stopped in the middle of its answer.`, LATER)
    case 'ENOTFOUND':
      return failure(connection(false), `There is no server named ${host}.`, 'Check the name in the address.')
    case 'EAI_AGAIN':
      return failure(connection(true), `The name ${host} could not be looked up.`, 'Check the DNS server.')
    case 'ECONNREFUSED':
      return failure(connection(true), `${host} refuses the connection.`, 'Check the port and that it is up.')
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return failure(connection(true), `There is no way through the network to ${host}.`, firewall)
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_DESTROYED':
      return closing()
    case 'UND_ERR_INVALID_ARG':
      return new HoldfastError('BAD_INPUT', 'This call can not be sent: a part of it is not valid.', {
        cause: error,
      })
  }
  if (TLS.test(code))
    return failure(
      connection(false),
      `No trusted TLS connection to ${host} can be made (${code}).`,
      'Check the certificate, its name and its authority, and that the port speaks TLS.',
    )
  if ((error as Error).name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW')
    return failure(
      { kind: 'other', again: false, breaks: true },
      `${host} answered something that is not HTTP.`,
      'Check the port.',
    )
  if (begun) return failure(connection(true), `${host} broke off in the middle of its answer.`, LATER)
  if (code.startsWith('E') || code === 'UND_ERR_SOCKET')
    return failure(connection(true), `${host} closed the connection without an answer.`, LATER)
  return failure({ kind: 'other', again: false, breaks: true }, `The call to ${host} failed.`, LATER)
}

const firewall = 'Check the address, the network and the firewall.'
