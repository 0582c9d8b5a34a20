export type SpanAttributes = Record<string, string | number | boolean | undefined>

/** What a span is called, and what is told of it: never a value that somebody stored or sent. */
export interface SpanFacts {
  /** Of few: no ids, no paths with names in them. */
  name: string
  /** `server`: somebody asked us. `client`: we ask a server. Neither: inner work. */
  kind?: 'server' | 'client'
  /** By OpenTelemetry's semantic conventions where they know the thing. */
  attributes?: SpanAttributes
  /** When it began, UTC ms; now without. */
  startedAt?: number
}

/** One piece of work on its way. */
export interface OpenSpan {
  /** Does work whose own spans stand below this one. */
  within<T>(work: () => T): T
  set(attributes: SpanAttributes): void
  /** Headers by which a server that is asked goes on with the trace (W3C Trace Context). */
  headers(): Record<string, string>
  /** An error is told by its code or name. Its message may hold values. */
  end(error?: unknown): void
}

/** Traces of what the console does, for a collector; there is none unless one is configured. */
export interface Trace {
  /**
   * Opens a span below the one whose work this is; undefined where there is none. With `from`, the headers of a
   * request, it stands below the span that they name, or begins a trace.
   */
  begin(facts: SpanFacts, from?: Record<string, unknown>): OpenSpan | undefined
  /** Sends what is left, within a moment. */
  close(): Promise<void>
}

/** Does work in a span of its own, where somebody traces. */
export async function traced<T>(
  trace: Pick<Trace, 'begin'> | undefined,
  facts: SpanFacts,
  work: (span?: OpenSpan) => Promise<T>,
): Promise<T> {
  const span = trace?.begin(facts)
  if (!span) return work()
  try {
    const result = await span.within(() => work(span))
    span.end()
    return result
  } catch (error) {
    span.end(error)
    throw error
  }
}
