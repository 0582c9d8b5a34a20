import { HoldfastError } from '@/server/errors'
import type { SessionInfo } from '@/server/security'
import { type Permission, permissionsOf } from '@/server/security/roles'
import type { Context } from './context'

/** Refuses a state change that another site may have caused (docs/security.md). Throws BAD_ORIGIN. */
export function refuseForeign({ originAllowed, runtime }: Context): void {
  if (originAllowed) return
  throw new HoldfastError('BAD_ORIGIN', {
    message: 'The request came from another address than the console’s own.',
    remedy: `Open the console at ${runtime.env.HOLDFAST_URL}, or set HOLDFAST_URL to the address you use.`,
  })
}

/** The session, if somebody is signed in whose role holds `permission`. Throws UNAUTHENTICATED or FORBIDDEN. */
export function permitted({ session }: Context, permission: Permission): SessionInfo {
  if (!session)
    throw new HoldfastError('UNAUTHENTICATED', { message: 'You are signed out.', remedy: 'Sign in again.' })
  if (permissionsOf(session.role).includes(permission)) return session
  throw new HoldfastError('FORBIDDEN', {
    message: `Your role, ${session.role}, does not allow this.`,
    remedy: 'Ask an admin to do it or to change your role.',
  })
}
