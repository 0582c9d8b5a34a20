import type { Env } from '@/server/env'
import { readPairs } from '@/server/env-values'
import type { TracingConfig } from '.'

/** What the environment says of traces. */
export function tracingConfig(env: Env): TracingConfig {
  return {
    endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: readPairs(env.OTEL_EXPORTER_OTLP_HEADERS ?? '') ?? {},
    service: env.OTEL_SERVICE_NAME,
    resource: readPairs(env.OTEL_RESOURCE_ATTRIBUTES ?? '') ?? {},
    sampler: env.OTEL_TRACES_SAMPLER,
    samplerArgument: env.OTEL_TRACES_SAMPLER_ARG,
  }
}
