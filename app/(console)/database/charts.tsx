import { CrosshairProvider } from '@/components/charts/crosshair'
import { LiveChart, type LiveChartProps } from '@/components/live/live-chart'
import type { Sample } from '@/components/live/types'
import { TileBoundary } from '@/components/ui/error-tile'
import { QueryTimes } from './query-times'

type Chart = Omit<LiveChartProps, 'samples'> & { pooled?: true }

const CHARTS: Chart[] = [
  {
    title: 'Queries per second',
    series: [
      { metric: 'holdfast_database_queries_per_second', label: 'Queries' },
      { metric: 'holdfast_database_errors_per_second', label: 'Errors' },
    ],
    unit: '/s',
  },
  {
    title: 'Query time',
    series: [
      { metric: 'holdfast_database_query_p99_seconds', label: 'p99' },
      { metric: 'holdfast_database_query_p50_seconds', label: 'p50' },
    ],
  },
  {
    title: 'Connections',
    series: [
      { metric: 'holdfast_database_pool_in_use_connections', label: 'In use' },
      { metric: 'holdfast_database_pool_idle_connections', label: 'Idle' },
    ],
    pooled: true,
  },
  {
    title: 'Callers waiting',
    series: [{ metric: 'holdfast_database_pool_waiting_callers', label: 'Waiting' }],
    pooled: true,
  },
]

/** The pool over the chosen time. */
export function PoolCharts({ samples, pooled }: { samples: readonly Sample[]; pooled: boolean }) {
  return (
    <CrosshairProvider>
      <div className="mt-8 grid grid-cols-1 gap-x-8 gap-y-6 lg:grid-cols-2">
        {CHARTS.filter((chart) => pooled || !chart.pooled).map(({ pooled: _, ...chart }) => (
          <TileBoundary key={chart.title} what={chart.title}>
            <LiveChart {...chart} samples={samples} />
          </TileBoundary>
        ))}
        <div className="min-w-0 lg:col-span-2">
          <TileBoundary what="Statements by the time they took">
            <QueryTimes samples={samples} />
          </TileBoundary>
        </div>
      </div>
    </CrosshairProvider>
  )
}
