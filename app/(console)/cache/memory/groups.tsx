import { namespaceHref } from '@/components/cache/keys-href'
import type { SampledGroup, SampleReport, Stats } from '@/components/cache/types'
import { formatBytes, formatNumber } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { IntervalBar } from './interval-bar'
import { isWhole } from './words'

/** What each namespace, or each first part of foreign keys, takes: estimates with what they may be off by. */
export function Groups({ report, stats }: { report: SampleReport; stats: Stats }) {
  const { groups } = report
  const most = Math.max(...groups.map(({ bytesHigh }) => bytesHigh), 1)
  const whole = isWhole(report)
  return (
    <Section
      title="By namespace"
      note={
        whole ? 'every key was measured' : 'estimates; the range holds the true value in 95 of 100 samples'
      }
    >
      <Table<SampledGroup>
        caption="Memory by namespace"
        density="roomy"
        columns={[
          {
            key: 'name',
            header: 'Namespace',
            rowHeader: true,
            className: 'min-w-32',
            cell: (group) => <Name group={group} stats={stats} />,
          },
          {
            key: 'bar',
            header: <span className="sr-only">Bar</span>,
            className: 'w-1/3 min-w-24 max-sm:hidden',
            cell: ({ bytes, bytesLow, bytesHigh }) => (
              <IntervalBar value={bytes} low={bytesLow} high={bytesHigh} max={most} />
            ),
          },
          {
            key: 'bytes',
            header: 'Memory',
            numeric: true,
            cell: ({ bytes }) => `${whole ? '' : '≈ '}${formatBytes(bytes)}`,
          },
          {
            key: 'range',
            header: 'Range',
            numeric: true,
            cell: ({ bytesLow, bytesHigh }) =>
              bytesLow === bytesHigh ? (
                <span className="text-muted">exact</span>
              ) : (
                `${formatBytes(bytesLow)} – ${formatBytes(bytesHigh)}`
              ),
          },
          {
            key: 'keys',
            header: 'Keys',
            numeric: true,
            cell: ({ keys }) => `${whole ? '' : '≈ '}${formatNumber(keys)}`,
          },
          { key: 'sampled', header: 'Drawn', numeric: true, cell: ({ sampled }) => formatNumber(sampled) },
        ]}
        rows={groups}
        rowKey={({ name, ours }) => `${ours} ${name}`}
      />
    </Section>
  )
}

function Name({ group: { name, ours }, stats }: { group: SampledGroup; stats: Stats }) {
  if (name === '') return ours ? 'Without a namespace' : 'Others, without a colon in their name'
  if (!ours) {
    return (
      <>
        <Mono>{name}</Mono> <span className="text-muted">of others</span>
      </>
    )
  }
  return (
    <Link
      href={namespaceHref(stats, name)}
      className={`inline-flex min-h-6 items-center font-mono text-note ${plainLink}`}
    >
      {name}
    </Link>
  )
}
