import { dehydrate, type FetchQueryOptions, HydrationBoundary } from '@tanstack/react-query'
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query'
import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { cache, type ReactNode } from 'react'
import { nextPath } from '@/components/auth/next-path'
import { makeQueryClient } from '@/components/trpc/query-client'
import { appRouter, createCaller } from '@/server/routers/_app'
import { createContext } from '@/server/trpc/context'

/** One query cache and one context for everything that renders one request. */
const getQueryClient = cache(makeQueryClient)
const getContext = cache(async () => createContext(new Headers(await headers())))

/** The procedures, called in this process: `await prefetch(trpc.database.stats.queryOptions())`. */
export const trpc = createTRPCOptionsProxy({
  ctx: getContext,
  router: appRouter,
  queryClient: getQueryClient,
})

/** The procedures as plain functions, for what a page decides on the server. They throw what a client would get. */
export const getCaller = cache(async () => createCaller(await getContext()))

/**
 * Fills the cache that {@link Hydrate} hands to the browser. A query that fails is left to its tile: a page that
 * waited for another try would be blank meanwhile.
 */
export async function prefetch(...queries: object[]): Promise<void> {
  const client = getQueryClient()
  await Promise.all(
    queries.map((query) => client.prefetchQuery({ ...(query as FetchQueryOptions), retry: false })),
  )
}

/** Puts what was prefetched into the first HTML and under the components that use it. */
export function Hydrate({ children }: { children: ReactNode }) {
  return <HydrationBoundary state={dehydrate(getQueryClient())}>{children}</HydrationBoundary>
}

/** Who is signed in; nobody is sent to sign-in, which goes on by itself while the refresh cookie lives. */
export const requireSession = cache(async (next?: string) => {
  const { session } = await getContext()
  if (!session) redirect(withNext('/sign-in', next ?? (await ownPath())))
  const me = await (await getCaller()).auth.me()
  // Every page shows by it what its user may do.
  getQueryClient().setQueryData(trpc.auth.me.queryKey(), me)
  return me
})

/** Who is signed in and may go on: first comes the page of what must be done before anything else. */
export const requireReady = cache(async () => {
  const session = await requireSession()
  const [need] = session.needs
  if (need) redirect(withNext(pages[need], await ownPath()))
  return session
})

const pages = {
  'fresh factor': '/fresh-factor',
  factor: '/second-factor',
  'new password': '/new-password',
} as const

const ownPath = async () => nextPath((await headers()).get('x-holdfast-path'))
const withNext = (path: string, next: string) => `${path}?next=${encodeURIComponent(next)}`
