import { z } from 'zod'
import { pairs, text } from './env-values'
import { variable } from './env-variable'

/** OpenTelemetry's own variables, as far as Holdfast reads them. */
export const tracingVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: variable(
    z.url({ protocol: /^https?$/ }).optional(),
    'an address such as http://127.0.0.1:4318',
    'Collector that takes traces by OTLP over HTTP; without it nothing is traced',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: variable(
    pairs().optional(),
    'name=value, separated by commas',
    'Headers for the collector, such as its key',
    { secret: true },
  ),
  OTEL_SERVICE_NAME: variable(text().default('holdfast'), 'a name', 'Name of the console in traces', {
    shown: 'holdfast',
  }),
  OTEL_RESOURCE_ATTRIBUTES: variable(
    pairs().optional(),
    'name=value, separated by commas',
    'What else traces tell about where they come from',
  ),
  OTEL_TRACES_SAMPLER: variable(
    z
      .enum([
        ...(['always_on', 'always_off', 'traceidratio', 'parentbased_always_on'] as const),
        ...(['parentbased_always_off', 'parentbased_traceidratio'] as const),
      ])
      .default('parentbased_always_on'),
    'always_on, always_off, traceidratio, or parentbased_ and one of these',
    'Which requests are traced',
    { shown: 'parentbased_always_on' },
  ),
  OTEL_TRACES_SAMPLER_ARG: variable(
    z
      .string()
      .transform(Number)
      .refine((share) => share >= 0 && share <= 1)
      .optional(),
    'a share, 0 to 1',
    'How many of the requests the samplers with traceidratio take',
    { shown: '1' },
  ),
}
