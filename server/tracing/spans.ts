import type * as Api from '@opentelemetry/api'
import { noteInScope, spanInScope, withSpan } from '@/server/scope'
import type { OpenSpan, SpanFacts, Trace } from '@/server/trace'

interface Deps {
  api: typeof Api
  tracer: Api.Tracer
  propagator: Api.TextMapPropagator
}

/** How spans are opened: below the one in the scope, or below what a request's headers name. */
export function openSpans({ api, tracer, propagator }: Deps): Trace['begin'] {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api
  const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, inner: SpanKind.INTERNAL }

  return function begin({ name, kind, attributes, startedAt }: SpanFacts, from): OpenSpan | undefined {
    const parent = from
      ? propagator.extract(ROOT_CONTEXT, from, api.defaultTextMapGetter)
      : (spanInScope() as Api.Context | undefined)
    if (!parent) return undefined
    const span = tracer.startSpan(
      name,
      { kind: kinds[kind ?? 'inner'], attributes, startTime: startedAt },
      parent,
    )
    const context = trace.setSpan(parent, span)
    return {
      within: (work) =>
        withSpan(context, () => {
          if (from && span.isRecording()) noteInScope({ traceId: span.spanContext().traceId })
          return work()
        }),
      set(told) {
        span.setAttributes(told)
      },
      headers() {
        const headers: Record<string, string> = {}
        propagator.inject(context, headers, api.defaultTextMapSetter)
        return headers
      },
      end(error) {
        if (error !== undefined) {
          span.setStatus({ code: SpanStatusCode.ERROR })
          span.setAttribute('error.type', typeOf(error))
        }
        span.end()
      },
    }
  }
}

/** The code of an error, or its name. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}
