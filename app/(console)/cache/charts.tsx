import { CrosshairProvider } from '@/components/charts/crosshair'
import { LiveChart, type LiveChartProps } from '@/components/live/live-chart'
import type { Sample } from '@/components/live/types'
import { TileBoundary } from '@/components/ui/error-tile'

type Chart = Omit<LiveChartProps, 'samples'> & { redis?: true }

const CHARTS: Chart[] = [
  {
    title: 'Hit ratio',
    series: [{ metric: 'holdfast_cache_hit_ratio', label: 'Hits, 1 min' }],
    max: 1,
  },
  {
    title: 'Reads per second',
    series: [
      { metric: 'holdfast_cache_reads_per_second', label: 'Reads' },
      { metric: 'holdfast_cache_errors_per_second', label: 'Redis failed' },
    ],
    unit: '/s',
  },
  {
    title: 'Redis read time',
    series: [{ metric: 'holdfast_cache_redis_read_p99_seconds', label: 'p99' }],
    redis: true,
  },
  {
    title: 'Evictions per second',
    series: [{ metric: 'holdfast_cache_evictions_per_second', label: 'Evicted' }],
    unit: '/s',
  },
]

/** The cache over the chosen time. */
export function CacheCharts({ samples, redis }: { samples: readonly Sample[]; redis: boolean }) {
  return (
    <CrosshairProvider>
      <div className="mt-8 grid grid-cols-1 gap-x-8 gap-y-6 lg:grid-cols-2">
        {CHARTS.filter((chart) => redis || !chart.redis).map(({ redis: _, ...chart }) => (
          <TileBoundary key={chart.title} what={chart.title}>
            <LiveChart {...chart} samples={samples} />
          </TileBoundary>
        ))}
      </div>
    </CrosshairProvider>
  )
}
