import { nodeColumns } from '@/components/database/node-columns'
import { nodeName, ROLES } from '@/components/database/node-words'
import type { NodeFigures, Topology } from '@/components/database/types'
import { Empty } from '@/components/ui/empty'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatDuration, formatNumber, MISSING } from '@/components/ui/format'
import { type Column, Table } from '@/components/ui/table'
import { KeyValue, Mono } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'

/** The nodes that statements are sent to, each with what it takes and why not more. */
export function Nodes({ topology: { nodes, highestTimeline, systemIdentifier } }: { topology: Topology }) {
  return (
    <>
      <Table<NodeFigures>
        caption="Nodes"
        density="roomy"
        columns={columns}
        rows={nodes}
        rowKey={nodeName}
        rowTone={({ role }) => ROLES[role].tone}
      />
      {nodes.length === 1 ? (
        <Empty kind="not-enabled" title="No replica is configured">
          Name one or more in <Mono>DB_READ_HOST</Mono>, with their port in <Mono>DB_READ_PORT</Mono>, and
          restart. Reads then go to replicas that are close enough behind, and one that is promoted takes the
          writes.
        </Empty>
      ) : null}
      <div className="mt-4">
        <KeyValue
          items={[
            {
              label: 'Highest timeline seen',
              value: <Figure value={highestTimeline} format={formatNumber} />,
            },
            {
              label: 'Cluster',
              value: systemIdentifier === null ? MISSING : <Mono>{systemIdentifier}</Mono>,
            },
          ]}
        />
      </div>
    </>
  )
}

const columns: Column<NodeFigures>[] = [
  ...nodeColumns,
  {
    key: 'takes',
    header: 'Takes',
    className: 'whitespace-nowrap',
    cell: ({ takesReads, takesWrites }) =>
      takesReads || takesWrites ? (
        [takesReads && 'reads', takesWrites && 'writes'].filter(Boolean).join(' and ')
      ) : (
        <span className="text-muted">nothing</span>
      ),
  },
  {
    key: 'why',
    header: 'Why not more',
    className: 'min-w-48',
    cell: ({ because, error }) =>
      because === null && error === null ? (
        <span className="text-muted">{MISSING}</span>
      ) : (
        <>
          {because}
          {error === null ? null : <span className="block text-muted">{error}</span>}
        </>
      ),
  },
  {
    key: 'lag',
    header: 'Behind',
    numeric: true,
    cell: ({ role, lagBytes }) =>
      role === 'primary' ? (
        <span className="text-muted">{MISSING}</span>
      ) : (
        <Figure value={lagBytes} format={formatBytes} />
      ),
  },
  { key: 'lsn', header: 'Position', numeric: true, cell: ({ lsn }) => <Mono>{lsn ?? MISSING}</Mono> },
  {
    key: 'timeline',
    header: 'Timeline',
    numeric: true,
    cell: ({ timeline }) => <Figure value={timeline} format={formatNumber} />,
  },
  {
    key: 'roundTrip',
    header: 'Round trip',
    numeric: true,
    cell: ({ roundTrip }) => <Figure value={roundTrip} format={formatDuration} />,
  },
  {
    key: 'seen',
    header: 'Answered',
    numeric: true,
    cell: ({ seenAt }) => (seenAt === null ? 'never' : <RelativeTime at={seenAt} />),
  },
]
