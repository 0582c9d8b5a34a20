import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import type { Trace } from '@/server/trace'
import { telling } from './exporter'
import { samplerOf } from './sampler'
import { openSpans } from './spans'

/** As OpenTelemetry's variables of the same names say. */
export interface TracingConfig {
  /** Base address of a collector that takes OTLP over HTTP; without it nothing is loaded. */
  endpoint: string | undefined
  headers: Record<string, string>
  service: string
  resource: Record<string, string>
  sampler: SamplerName
  samplerArgument: number | undefined
}

export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio'

export interface TracingDeps {
  log: Log
  version: string
  /** Names this process. */
  instance: string
}

/** The longest that one export may take: a collector that hangs holds nothing but this up. */
const EXPORT_MS = 5_000
const LAST_EXPORT_MS = 1_000
/** Spans that wait to be sent at most; more are dropped. */
const MOST_WAITING = 2_048
const LONGEST_VALUE = 4_096

/**
 * Opens traces to a collector; undefined without one. Spans wait in memory and are sent together every second: work
 * never waits for them. Why nothing is patched for this: docs/decisions/0026.
 */
export async function openTracing(
  { log, version, instance }: TracingDeps,
  config: TracingConfig,
): Promise<Trace | undefined> {
  if (config.endpoint === undefined) return undefined
  // Loaded here alone: who traces nothing pays nothing.
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }, { W3CTraceContextPropagator }] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/core'),
    ])
  const exporter = new OTLPTraceExporter({
    url: `${config.endpoint.replace(/\/$/, '')}/v1/traces`,
    headers: config.headers,
    timeoutMillis: EXPORT_MS,
  })
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': config.service,
      'service.version': version,
      'service.instance.id': instance,
      ...config.resource,
    }),
    sampler: samplerOf(sdk, config.sampler, config.samplerArgument),
    spanLimits: { attributeValueLengthLimit: LONGEST_VALUE },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: telling(exporter, log),
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: EXPORT_MS,
        maxQueueSize: MOST_WAITING,
      }),
    ],
  })
  const tracer = provider.getTracer('holdfast', version)
  return {
    begin: openSpans({ api, tracer, propagator: new W3CTraceContextPropagator() }),
    async close() {
      await endsWithin(
        LAST_EXPORT_MS,
        provider.shutdown().catch((error: unknown) => log.debug({ error }, 'the last spans were not sent')),
      )
    },
  }
}
