import { createHash, randomUUID } from 'node:crypto'
import type { Position } from '@/server/database'
import { getRuntime } from '@/server/running'
import type { Runtime } from '@/server/runtime'
import { noteInScope } from '@/server/scope'
import type { SessionInfo } from '@/server/security'
import { clientAddress } from '@/server/security/requests/address'
import { originAllowed } from '@/server/security/requests/origin'
import { noteBadToken } from './noted-refusals'
import { following, positionOf } from './position'

/** Who asks: as far as the connection tells, without trusting what a client can choose. */
export interface ClientInfo {
  address: string
  userAgent: string
}

export interface Context {
  runtime: Runtime
  /** The signed-in session, or null. */
  session: SessionInfo | null
  client: ClientInfo
  requestId: string
  /** The request's headers, cookies among them. */
  headers: Headers
  /** Headers of the answer, where authentication sets its cookies. */
  resHeaders: Headers
  /** How far the log went when this session last wrote. */
  position: Position
  /** Whether a state change may follow from this request (Origin and Fetch-Metadata). */
  originAllowed: boolean
  /** Id of the step-up grant that the request brings. */
  stepUp: string | null
}

/** Makes the context of one request. `resHeaders` collects the cookies to be set. */
export async function createContext(headers: Headers, resHeaders = new Headers()): Promise<Context> {
  const runtime = await getRuntime()
  const client = clientOf(runtime, headers)
  const { secure } = runtime.security
  const position = positionOf(headers, secure)
  const session = await following({ position, resHeaders, secure, now: runtime.clock.now() }, () =>
    runtime.security.authenticate(headers, client.address),
  )
  if (session) noteInScope({ session: hashed(session.sessionId), user: session.userId })
  const requestId = headers.get('x-request-id') ?? randomUUID()
  await noteBadToken({ runtime, session, client, requestId }, headers)
  return {
    runtime,
    session,
    client,
    requestId,
    headers,
    resHeaders,
    position,
    originAllowed: originAllowed(headers, runtime.env.HOLDFAST_URL),
    stepUp: headers.get('holdfast-step-up'),
  }
}

/** Enough to tell which lines belong together. Ids of sessions are random: nobody finds one from its hash. */
function hashed(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('base64url').slice(0, 16)
}

/** Where a request comes from. */
export function clientOf(runtime: Runtime, headers: Headers): ClientInfo {
  const peer = headers.get('x-holdfast-peer') ?? 'unknown'
  return {
    address: clientAddress(peer, headers.get('x-forwarded-for'), runtime.env.TRUSTED_PROXIES),
    userAgent: (headers.get('user-agent') ?? '').slice(0, 512),
  }
}
