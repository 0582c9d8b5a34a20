import { Counter, Gauge, type Metric, type Registry } from 'prom-client'
import { cumulated, type HistogramCounts } from '@/server/histogram'

type Labels = Record<string, string>

/** One value of a metric. A value that is not there is left out, and so is the metric without any. */
export interface Reading {
  labels?: Labels
  value: number | null | undefined
}

/** What one metric is, and where its values are read when somebody asks. */
export interface Family<Value> {
  name: `holdfast_${string}`
  help: string
  labels?: readonly string[]
  read: () => Value | Promise<Value>
}

/** A level. */
export function gauge(registry: Registry, { name, help, labels = [], read }: Family<Reading[]>): void {
  const metric: Gauge = new Gauge({
    ...{ name, help, labelNames: [...labels], registers: [registry] },
    async collect() {
      metric.reset()
      if (labels.length === 0) metric.remove()
      for (const { labels: of = {}, value } of await read()) if (value != null) metric.set(of, value)
    },
  })
}

/** What only grows while the process lives; its name ends in `_total`. */
export function counter(registry: Registry, { name, help, labels = [], read }: Family<Reading[]>): void {
  const metric: Counter = new Counter({
    ...{ name, help, labelNames: [...labels], registers: [registry] },
    async collect() {
      metric.reset()
      for (const { labels: of = {}, value } of await read()) if (value != null) metric.inc(of, value)
    },
  })
}

/** Times that were counted elsewhere (server/histogram.ts): prom-client's own histogram can only observe. */
export function histogram(
  registry: Registry,
  { name, help, read }: Family<{ labels?: Labels; counts: HistogramCounts }[]>,
): void {
  const metric = {
    name,
    async get() {
      const values = (await read()).flatMap(({ labels = {}, counts }) => [
        ...cumulated(counts).map(({ bound, count }) => bucket(labels, bound, count)),
        bucket(labels, '+Inf', counts.count),
        { labels, value: counts.sum / 1000, metricName: `${name}_sum` },
        { labels, value: counts.count, metricName: `${name}_count` },
      ])
      return { name, help, type: 'histogram', aggregator: 'sum', values }
    },
  }
  const bucket = (labels: Labels, le: number | string, value: number) => ({
    ...{ labels: { ...labels, le }, value, metricName: `${name}_bucket` },
  })
  registry.registerMetric(metric as unknown as Metric)
}
