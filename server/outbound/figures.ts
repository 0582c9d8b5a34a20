import type { Clock } from '@/server/clock'
import { Histogram } from '@/server/histogram'
import { OutboundFailure } from './failure'
import type { OriginFigures } from './types'

type AnswerClass = keyof OriginFigures['answers']

/** What was counted for one origin. A call is counted once, as an answer or as a failure. */
export interface Counters
  extends Pick<
    OriginFigures,
    | 'calls'
    | 'answers'
    | 'failures'
    | 'retries'
    | 'retriesDenied'
    | 'cacheHits'
    | 'cacheRevalidated'
    | 'lastError'
    | 'lastCallAt'
  > {
  /** Of single requests that were answered over the network. */
  latency: Histogram
}

export function newCounters(): Counters {
  return {
    calls: 0,
    answers: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    failures: { timeout: 0, connection: 0, tooLarge: 0, refused: 0, other: 0 },
    retries: 0,
    retriesDenied: 0,
    cacheHits: 0,
    cacheRevalidated: 0,
    lastError: null,
    lastCallAt: null,
    latency: new Histogram(),
  }
}

export function countAnswer(
  counters: Counters,
  answer: { status: number; fromCache: 'hit' | 'revalidated' | null },
): void {
  const kind = `${Math.min(5, Math.max(2, Math.floor(answer.status / 100)))}xx` as AnswerClass
  counters.answers[kind]++
  if (answer.fromCache === 'hit') counters.cacheHits++
  if (answer.fromCache === 'revalidated') counters.cacheRevalidated++
}

export function countFailure(counters: Counters, error: unknown): void {
  counters.failures[error instanceof OutboundFailure ? error.kind : 'other']++
}

export function noteError(counters: Counters, clock: Clock, message: string): void {
  counters.lastError = { message, at: clock.now() }
}
