import type { SpanExporter } from '@opentelemetry/sdk-trace'
import type { Log } from '@/server/log'

/** The same exporter, which says once that a collector takes no spans, and once that it takes them again. */
export function telling(exporter: SpanExporter, log: Log): SpanExporter {
  let away = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        // 0: success (ExportResultCode).
        const failed = result.code !== 0
        if (failed && !away)
          log.warn({ error: result.error }, 'the collector takes no spans: they are dropped')
        if (!failed && away) log.info({}, 'the collector takes spans again')
        away = failed
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  }
}
