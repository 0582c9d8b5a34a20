import { createTRPCClient, httpLink, TRPCClientError } from '@trpc/client'
import { errorFacts } from '@/components/ui/error-facts'
import type { AppRouter } from '@/server/routers/_app'

/**
 * Calls authentication procedures one by one and outside any batch: a cookie that an answer sets must not be
 * lost in a stream, and a batch must not carry many guesses.
 */
export const authClient = createTRPCClient<AppRouter>({ links: [httpLink({ url: '/api/trpc' })] })

/** The closed code of a failed call, such as SESSION_ENDED; undefined when the server was not reached. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof TRPCClientError)) return undefined
  const { code } = (error.data ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

interface Details {
  issues?: { path: string; message: string }[]
  passwordNeeded?: boolean
}

function detailsOf(error: unknown): Details {
  if (!(error instanceof TRPCClientError)) return {}
  return ((error.data ?? {}) as { details?: Details | null }).details ?? {}
}

/** Whether the server wants the password first, since the sign-in is long ago. */
export const needsPassword = (error: unknown) => detailsOf(error).passwordNeeded === true

/** What was wrong with one field of a form, if the server named it. */
export function fieldError(error: unknown, field: string): string | undefined {
  const message = detailsOf(error).issues?.find((issue) => issue.path === field)?.message
  return message && `${message[0]?.toUpperCase()}${message.slice(1)}.`
}

/** What the server says of an error and what to do, as one text for the field that caused it. */
export function saysOf(error: unknown): string {
  const { message, remedy } = errorFacts(error)
  return [message, remedy].filter(Boolean).join(' ')
}
