'use client'

import { TRPCClientError } from '@trpc/client'
import { useEffect, useState } from 'react'

/** Milliseconds after which the server lets another try through, if it said so. */
function retryAfterOf(error: unknown): number {
  if (!(error instanceof TRPCClientError)) return 0
  const { retryAfterMs } = (error.data ?? {}) as { retryAfterMs?: unknown }
  return typeof retryAfterMs === 'number' ? retryAfterMs : 0
}

/** Milliseconds, in whole seconds, until another try makes sense after `error`; counts down to 0. */
export function useWait(error: unknown): number {
  const [left, setLeft] = useState(0)
  useEffect(() => {
    const until = Date.now() + retryAfterOf(error)
    const tick = () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000) * 1000))
    tick()
    if (until <= Date.now()) return
    const timer = setInterval(tick, 250)
    return () => clearInterval(timer)
  }, [error])
  return left
}
