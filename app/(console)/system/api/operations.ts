import type { getApi, Operation } from '@/app/_lib/openapi'

export interface ListedOperation {
  method: 'GET' | 'POST'
  /** With `/api`. */
  path: string
  operation: Operation
}

/** Every operation of the document with its address, in the order of the document. */
export function operationsOf({ paths }: Awaited<ReturnType<typeof getApi>>): ListedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method === 'get' ? ('GET' as const) : ('POST' as const),
      path,
      operation,
    })),
  )
}
