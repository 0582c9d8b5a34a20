import type * as Sdk from '@opentelemetry/sdk-trace'
import type { SamplerName } from '.'

/** The sampler by its name in OTEL_TRACES_SAMPLER; the argument is a share, all without one. */
export function samplerOf(sdk: typeof Sdk, name: SamplerName, argument = 1): Sdk.Sampler {
  const roots = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(argument),
  }
  const root = roots[name.replace('parentbased_', '') as keyof typeof roots]()
  return name.startsWith('parentbased_') ? new sdk.ParentBasedSampler({ root }) : root
}
