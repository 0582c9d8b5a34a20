'use client'

import { createContext, type ReactNode, use, useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import type { LiveState, LiveStream } from './stream'
import type { LiveEvent, MetricName, Sample } from './types'

const LiveContext = createContext<LiveStream | null>(null)

export function LiveProvider({ stream, children }: { stream: LiveStream; children: ReactNode }) {
  useEffect(() => stream.start(), [stream])
  return <LiveContext value={stream}>{children}</LiveContext>
}

const before: LiveState = { connection: 'live', samples: [], silentSince: null }

function useStream(): LiveStream {
  const stream = use(LiveContext)
  if (!stream) throw new Error('Live values need a LiveProvider above them')
  return stream
}

/** The state of the one event stream and what a user can do with it. */
export function useLive() {
  const stream = useStream()
  const { connection, silentSince } = useSyncExternalStore(
    (listener) => stream.subscribe(listener),
    () => stream.state,
    () => before,
  )
  return { connection, silentSince, stream }
}

/** Calls back for every live event of one kind while the component is shown. */
export function useLiveEvent<K extends LiveEvent['kind']>(
  kind: K,
  handle: (event: Extract<LiveEvent, { kind: K }>) => void,
): void {
  const stream = useStream()
  const handler = useEffectEvent(handle)
  useEffect(
    () =>
      stream.onEvent((event) => {
        if (event.kind === kind) handler(event as Extract<LiveEvent, { kind: K }>)
      }),
    [stream, kind],
  )
}

/** Columns of samples, as `system.history` answers them. */
export interface SampleColumns {
  at: readonly number[]
  lastEventId: string
  values: Readonly<Record<MetricName, readonly (number | null)[]>>
}

/** All samples that are known: those that came with the page, then those of the stream. Oldest first. */
export function useSamples(columns: SampleColumns | undefined): readonly Sample[] {
  const stream = useStream()
  useEffect(() => {
    if (columns) stream.seed(samplesOf(columns), columns.lastEventId)
  }, [stream, columns])
  const { samples } = useSyncExternalStore(
    (listener) => stream.subscribe(listener),
    () => stream.state,
    () => before,
  )
  return samples.length > 0 || !columns ? samples : samplesOf(columns)
}

function samplesOf({ at, values }: SampleColumns): Sample[] {
  const names = Object.keys(values) as MetricName[]
  return at.map((time, index) => ({
    at: time,
    values: Object.fromEntries(names.map((name) => [name, values[name][index] ?? null])) as Sample['values'],
  }))
}
