import {
  httpBatchLink,
  httpLink,
  httpSubscriptionLink,
  type Operation,
  splitLink,
  type TRPCClientError,
  type TRPCLink,
} from '@trpc/client'
import { observable } from '@trpc/server/observable'
import { type Refreshed, refreshSession } from '@/components/auth/refresh'
import type { AppRouter } from '@/server/routers/_app'

const url = '/api/trpc'

export interface LinkOptions {
  /** Called when a request shows that nobody is signed in any more. */
  onSignedOut: () => void
}

/**
 * Subscriptions go over an event stream; authentication and what carries a step-up grant alone, since cookies
 * and that header belong to one request; everything else in batches. A request that fails for want of a
 * session is tried once more after a refresh that all tabs share.
 *
 * A step-up grant is passed with the call: `mutate(input, { context: { stepUp: grantId } })`.
 */
export function makeLinks({ onSignedOut }: LinkOptions): TRPCLink<AppRouter>[] {
  return [
    refreshLink(onSignedOut),
    splitLink({
      condition: ({ type }) => type === 'subscription',
      true: httpSubscriptionLink({ url }),
      false: splitLink({
        condition: goesAlone,
        true: httpLink({ url, headers: ({ op }) => stepUpHeader(op) }),
        false: httpBatchLink({ url, maxItems: 20, maxURLLength: 8_000 }),
      }),
    }),
  ]
}

/** What may take seconds holds up nothing that is asked for beside it. */
const slow = new Set(['database.advice', 'database.plan'])

function goesAlone({ path, type, context }: Operation): boolean {
  return (path.startsWith('auth.') && type === 'mutation') || context.stepUp !== undefined || slow.has(path)
}

function stepUpHeader({ context }: Operation): Record<string, string> {
  return typeof context.stepUp === 'string' ? { 'holdfast-step-up': context.stepUp } : {}
}

/** Whether an error means that the access cookie no longer signs anybody in. */
export function isSignedOut(error: unknown): boolean {
  const code = (error as { data?: { code?: string } | null } | null)?.data?.code
  return code === 'UNAUTHENTICATED' || code === 'SESSION_ENDED'
}

/** What authentication asks of a session. */
const ofSession = new Set(['auth.me', 'auth.signOut', 'auth.stepUpOptions', 'auth.stepUp'])

/** Authentication answers for itself: a wrong password isn't mended by a refresh. The stream does its own. */
const refreshes = ({ path, type }: Operation) =>
  type !== 'subscription' && (ofSession.has(path) || !path.startsWith('auth.'))

function refreshLink(onSignedOut: () => void): TRPCLink<AppRouter> {
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        let stopped = false
        let current = run(true)
        function run(first: boolean) {
          return next(op).subscribe({
            next: (value) => observer.next(value),
            complete: () => observer.complete(),
            error(error) {
              if (!first || !refreshes(op) || !isSignedOut(error)) return observer.error(error)
              void refreshSession({ force: true }).then(({ state }) => after(state, error))
            },
          })
        }
        function after(outcome: Refreshed['state'], error: TRPCClientError<AppRouter>) {
          if (stopped) return
          if (outcome === 'fresh') {
            current = run(false)
            return
          }
          if (outcome === 'ended') onSignedOut()
          observer.error(error)
        }
        return () => {
          stopped = true
          current.unsubscribe()
        }
      })
}
