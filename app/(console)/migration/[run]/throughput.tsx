import dynamic from 'next/dynamic'
import { CrosshairProvider } from '@/components/charts/crosshair'
import type { Point } from '@/components/charts/geometry'
import type { Progress, Run } from '@/components/migration/types'
import { formatBytes, formatRate } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { throughputOf, throughputSentence } from './throughput-words'

const loading = () => <Skeleton className="h-52 w-full" label="Measuring the throughput" />

const LiveLine = dynamic(() => import('@/components/charts/live-line').then((module) => module.LiveLine), {
  ssr: false,
  loading,
})

const bytesRate = (value: Point) =>
  typeof value === 'number' ? `${formatBytes(value)}/s` : formatBytes(value)

/** How fast the transfer was from its begin to now, or to its end: rows and data. */
export function Throughput({ run, progress }: { run: Run; progress: Progress }) {
  const speeds = throughputOf(progress.speeds)
  if (!speeds) {
    if (run.state === 'running' && run.phase === 'transfer') return <div className="mb-4">{loading()}</div>
    return progress.speeds?.at ? (
      <p className="mb-4 text-muted">The transfer was over before its throughput could be followed.</p>
    ) : null
  }
  const { times, from, to } = speeds
  const shared = { times, from, to }
  return (
    <CrosshairProvider>
      <div className="mb-6 grid grid-cols-1 gap-x-8 gap-y-6 lg:grid-cols-2">
        <LiveLine
          {...shared}
          title="Throughput in rows"
          name={`migration-${run.id}-rows-per-second`}
          sentence={throughputSentence(speeds.rows, speeds.everyMs, formatRate)}
          series={[{ key: 'rows', label: 'Rows', values: speeds.rows }]}
          format={formatRate}
        />
        <LiveLine
          {...shared}
          title="Throughput in data"
          name={`migration-${run.id}-bytes-per-second`}
          sentence={throughputSentence(speeds.bytes, speeds.everyMs, bytesRate)}
          series={[{ key: 'bytes', label: 'Data sent', values: speeds.bytes }]}
          format={bytesRate}
          max={speeds.most}
        />
      </div>
    </CrosshairProvider>
  )
}
