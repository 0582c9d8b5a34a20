import type { AuditEventName } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { callerOf } from './caller'
import type { Context } from './context'

type About = Pick<Context, 'runtime' | 'session' | 'client' | 'requestId'>

const noted = new WeakSet<HoldfastError>()

/**
 * Notes a refusal that may be part of an attack in the audit log: bounded, so that a loop does not fill it. Each error
 * once, wherever it passes.
 */
export function noteRefusal(about: About, error: HoldfastError, asked: string): void {
  const kind = kindOf(error)
  if (!kind || noted.has(error)) return
  noted.add(error)
  const by = callerOf(about)
  const { event, reason } = kind
  about.runtime.refusals.note(`${event}|${by.actorId ?? by.address}`, {
    ...by,
    ...{ event, outcome: 'denied', target: `procedure:${asked}`, reason },
  })
}

function kindOf({ code, message }: HoldfastError): { event: AuditEventName; reason: string } | null {
  if (code === 'FORBIDDEN') return { event: 'authz_fail', reason: message }
  if (code === 'BAD_ORIGIN') return { event: 'malicious_cors', reason: 'a state change from another origin' }
  if (code === 'TOO_LARGE') return { event: 'input_validation_fail', reason: 'a body that is too large' }
  if (code === 'UNSUPPORTED_TYPE')
    return { event: 'input_validation_fail', reason: 'a body of another type than JSON' }
  // Wrong values are typed every day; fields that no page of the console sends are not.
  if (code === 'BAD_INPUT' && /Unrecognized key|no JSON|no UTF-8/.test(message))
    return { event: 'input_validation_fail', reason: 'a body that no page of the console sends' }
  return null
}

/** Notes what came as proof of who asks and is none, where it did not merely run out. */
export async function noteBadToken(about: About, headers: Headers): Promise<void> {
  if (about.session) return
  const { security, clock, refusals } = about.runtime
  const reason = await security.doubt(headers, clock.now())
  if (!reason) return
  const by = callerOf(about)
  refusals.note(`authn_token_invalid|${by.address}`, {
    ...by,
    ...{ event: 'authn_token_invalid', outcome: 'denied', reason },
  })
}

/** The same for a request whose body was refused before anybody looked at who asks. */
export function noteUnread(about: Omit<About, 'session'>, error: unknown, asked: string): void {
  if (error instanceof HoldfastError) noteRefusal({ ...about, session: null }, error, asked)
}
