import { HoldfastError } from '@/server/errors'
import type { SessionInfo } from '@/server/security'
import type { Permission } from '@/server/security/roles'
import type { Context } from './context'

/** Refuses a state change that another site may have caused (docs/security.md). Throws BAD_ORIGIN. */
export function refuseForeign({ originAllowed, runtime }: Context): void {
  if (originAllowed) return
  throw new HoldfastError('BAD_ORIGIN', {
    message: 'The request came from another address than the console’s own.',
    remedy: `Open the console at ${runtime.env.HOLDFAST_URL}, or set HOLDFAST_URL to the address you use.`,
  })
}

/**
 * The session, if somebody is signed in who holds `permission`. Throws UNAUTHENTICATED, FORBIDDEN, and while
 * something is to be done first PASSWORD_CHANGE_REQUIRED, FACTOR_REQUIRED or FRESH_FACTOR_REQUIRED.
 */
export function permitted({ session }: Context, permission: Permission): SessionInfo {
  if (!session)
    throw new HoldfastError('UNAUTHENTICATED', { message: 'You are signed out.', remedy: 'Sign in again.' })
  const [need] = session.needs
  // The step-up is what brings a fresh factor.
  const way = need === 'fresh factor' && permission === 'auth:step-up'
  if (need && permission !== 'account:own' && !way) throw needs[need]()
  if (session.permissions.includes(permission)) return session
  if (session.kind === 'api-key') {
    throw new HoldfastError('FORBIDDEN', {
      message: `The API key ${session.name} does not hold ${permission}.`,
      remedy: 'Make a key that does, on the page System, API keys.',
    })
  }
  throw new HoldfastError('FORBIDDEN', {
    message: `Your role, ${session.role}, does not allow this.`,
    remedy: 'Ask an admin to do it or to change your role.',
  })
}

const needs = {
  'new password': () =>
    new HoldfastError('PASSWORD_CHANGE_REQUIRED', {
      message: 'An admin asked for a new password.',
      remedy: 'Give yourself a new one, then go on.',
    }),
  factor: () =>
    new HoldfastError('FACTOR_REQUIRED', {
      message: 'Your role needs a second factor.',
      remedy: 'Enrol an authenticator app or a passkey, then go on.',
    }),
  'fresh factor': () =>
    new HoldfastError('FRESH_FACTOR_REQUIRED', {
      message: 'This session looks unusual: somebody else may use it.',
      remedy: 'Enter a fresh code or use a passkey at /fresh-factor, then go on.',
    }),
}
