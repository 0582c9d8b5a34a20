'use client'

import { useQuery } from '@tanstack/react-query'
import { CrosshairProvider } from '@/components/charts/crosshair'
import { LiveChart } from '@/components/live/live-chart'
import { LiveStat } from '@/components/live/live-stat'
import type { Sample } from '@/components/live/types'
import { useHealth } from '@/components/live/use-health'
import { useKeptSamples } from '@/components/live/use-kept-samples'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { formatBytes, formatDuration } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { Skeleton } from '@/components/ui/skeleton'
import { StatRow } from '@/components/ui/stat'
import { Status, type StatusKind } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { KeyValue, Mono, PageHeader, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'
import { Consoles } from './consoles'

type Component = RouterOutputs['system']['health']['components'][number]

const WORDS: Record<Component['state'], { kind: StatusKind; word: string }> = {
  ok: { kind: 'ok', word: 'Good' },
  warn: { kind: 'warn', word: 'Attention' },
  bad: { kind: 'bad', word: 'Bad' },
}

export function SystemView() {
  return (
    <>
      <PageHeader title="System" lead="This process: its health, and what it is." />
      <Figures />
      <HealthTable />
      <Consoles />
      <About />
    </>
  )
}

/** What changes with every sample, apart from what does not. */
function Figures() {
  const samples = useKeptSamples()
  return (
    <>
      <StatRow label="Process" columns={6}>
        <LiveStat
          samples={samples}
          label="Event loop delay, p99"
          metric="holdfast_event_loop_delay_p99_seconds"
        />
        <LiveStat samples={samples} label="CPU, of one core" metric="holdfast_process_cpu_ratio" />
        <LiveStat samples={samples} label="Resident memory" metric="holdfast_process_resident_bytes" />
        <LiveStat samples={samples} label="Heap" metric="holdfast_process_heap_used_bytes" />
        <LiveStat
          samples={samples}
          label="Host memory in use"
          metric="holdfast_host_memory_used_ratio"
          max={1}
        />
        <LiveStat samples={samples} label="Load, 1 min" metric="holdfast_host_load1" />
      </StatRow>
      <History samples={samples} />
    </>
  )
}

const CPU = [{ metric: 'holdfast_process_cpu_ratio', label: 'CPU' }] as const
const RESIDENT = [{ metric: 'holdfast_process_resident_bytes', label: 'Resident' }] as const

/** Samples of the process over the chosen time. */
function History({ samples }: { samples: readonly Sample[] }) {
  return (
    <CrosshairProvider>
      <div className="mt-8 grid grid-cols-1 gap-x-8 gap-y-6 lg:grid-cols-2">
        <TileBoundary what="Processor">
          <LiveChart title="CPU, of one core" samples={samples} series={CPU} />
        </TileBoundary>
        <TileBoundary what="Memory">
          <LiveChart title="Resident memory" samples={samples} series={RESIDENT} />
        </TileBoundary>
      </div>
    </CrosshairProvider>
  )
}

function HealthTable() {
  const { data, error, refetch } = useHealth()
  return (
    <Section title="Health">
      {error && !data ? (
        <ErrorTile error={error} what="Health" onRetry={() => void refetch()} />
      ) : data ? (
        <Table<Component>
          caption="Components and their state"
          density="roomy"
          columns={[
            {
              key: 'title',
              header: 'Component',
              rowHeader: true,
              cell: ({ href, title }) => (
                <Link
                  href={href}
                  className="underline decoration-border underline-offset-4 hover:decoration-current"
                >
                  {title}
                </Link>
              ),
            },
            {
              key: 'state',
              header: 'State',
              cell: ({ state }) => <Status kind={WORDS[state].kind}>{WORDS[state].word}</Status>,
            },
            {
              key: 'since',
              header: 'Since',
              cell: ({ since }) => (since === undefined ? null : <Time at={since} />),
            },
            {
              key: 'latency',
              header: 'Answers in',
              numeric: true,
              cell: ({ latency }) => (latency === undefined ? null : formatDuration(latency)),
            },
            {
              key: 'detail',
              header: 'What is so, what to do',
              className: 'min-w-60',
              cell: ({ detail, remedy }) => (
                <span className="block whitespace-normal">
                  {detail}
                  {remedy ? <span className="block text-muted">{remedy}</span> : null}
                </span>
              ),
            },
          ]}
          rows={data.components}
          rowKey={({ id }) => id}
        />
      ) : (
        <Skeleton className="h-48 w-full" label="Reading the health" />
      )}
    </Section>
  )
}

function About() {
  const trpc = useTRPC()
  const { data, error, refetch } = useQuery(trpc.system.about.queryOptions())
  return (
    <Section title="About">
      {error && !data ? (
        <ErrorTile error={error} what="About" onRetry={() => void refetch()} />
      ) : data ? (
        <KeyValue
          items={[
            { label: 'Holdfast', value: data.version },
            { label: 'Address', value: <Mono>{data.url}</Mono> },
            { label: 'Running since', value: <Time at={data.startedAt} /> },
            { label: 'Node.js', value: data.node },
            { label: 'Process', value: data.pid },
            {
              label: 'Machine',
              value: `${data.platform}, ${data.cores} cores, ${formatBytes(data.memoryBytes)}`,
            },
            { label: 'Licence', value: 'MIT' },
          ]}
        />
      ) : (
        <Skeleton className="h-48 w-full" label="Reading about this process" />
      )}
    </Section>
  )
}
