import type { RouterOutputs } from '@/server/routers/_app'

type Streamed<T> = T extends AsyncIterable<infer E> ? E : never

/** One event of the stream with its id, as it arrives. */
export type Delivered = Streamed<RouterOutputs['system']['live']>
export type LiveEvent = Delivered['data']
/** All metrics at one moment. */
export type Sample = Pick<Extract<LiveEvent, { kind: 'sample' }>, 'at' | 'values'>
export type MetricName = keyof Sample['values']
