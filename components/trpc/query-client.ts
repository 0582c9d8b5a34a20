import { QueryClient } from '@tanstack/react-query'

/** Statuses after which asking again may help: none, or the server's own fault. */
function mayRetry(failures: number, error: unknown): boolean {
  const status = (error as { data?: { httpStatus?: number } | null }).data?.httpStatus
  return failures < 2 && (status === undefined || status >= 500)
}

/** The same settings for the server's prefetching and the browser. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the server has just put into the page is not asked for again at once.
        staleTime: 10_000,
        retry: mayRetry,
        refetchOnWindowFocus: true,
      },
    },
  })
}
