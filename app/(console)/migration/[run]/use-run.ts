'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useLiveEvent } from '@/components/live/live'
import type { Progress, Run, RunTick } from '@/components/migration/types'
import { useTRPC } from '@/components/trpc/trpc'

/** Without the stream a run at work is asked for so often. */
const ASKED_MS = 3_000

const isMoving = (run: Run | undefined) =>
  run?.state === 'running' || run?.state === 'cancelling' || (run !== undefined && run.phase !== null)

/** The run with its progress as the stream tells it; the rest is fetched when its state or phase changes. */
export function useRun(id: string) {
  const trpc = useTRPC()
  const client = useQueryClient()
  const key = trpc.migration.run.queryKey({ id })
  const query = useQuery(
    trpc.migration.run.queryOptions(
      { id },
      { refetchInterval: ({ state }) => (isMoving(state.data) ? ASKED_MS : false) },
    ),
  )
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: key }),
      client.invalidateQueries({ queryKey: trpc.migration.log.queryKey({ id, limit: 200 }) }),
      client.invalidateQueries({ queryKey: trpc.migration.runs.queryKey() }),
    ])
  useLiveEvent('migration', ({ runId, news }) => {
    if (runId !== id) return
    const tick = news as RunTick
    const before = client.getQueryData(key)
    if (!before) return
    if (tick.progress) {
      const progress = merged(before.progress, tick.progress)
      client.setQueryData(key, { ...before, state: tick.state, phase: tick.phase, progress })
    }
    if (tick.state !== before.state || tick.phase !== before.phase || tick.state === 'planned') void refresh()
  })
  return { ...query, refresh }
}

/** A tick carries the tables that changed, and new speeds; an older one than what is known changes nothing. */
function merged(before: Progress | null, tick: Progress): Progress {
  if (!before) return tick
  if (tick.at < before.at) return before
  const changed = new Map(tick.tables.map((table) => [table.table, table]))
  const known = before.tables.map((table) => changed.get(table.table) ?? table)
  const names = new Set(before.tables.map(({ table }) => table))
  const speeds = tick.speeds ?? before.speeds
  return {
    ...tick,
    ...(speeds && { speeds }),
    tables: [...known, ...tick.tables.filter(({ table }) => !names.has(table))],
  }
}
