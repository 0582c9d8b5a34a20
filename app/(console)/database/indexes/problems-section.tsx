'use client'

import { MaintainButton } from '@/components/database/maintain-button'
import type { OfferedAdvice, OfferedProblem } from '@/components/database/types'
import { Button } from '@/components/ui/button'
import { CopyButton } from '@/components/ui/copy-button'
import { Empty } from '@/components/ui/empty'
import { formatBytes } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Status } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { drops } from './use-index-actions'
import { problemWords } from './words'

/** What is wrong with indexes and statistics that are there, and the way out of each. */
export function ProblemsSection({
  of: { problems },
  manage,
  onMend,
}: {
  of: OfferedAdvice
  manage: boolean
  onMend: (problem: OfferedProblem) => void
}) {
  return (
    <Section title="Problems" note={problems.length > 0 ? problems.length : undefined}>
      <Table<OfferedProblem>
        caption="Problems of indexes, statistics and transactions"
        density="roomy"
        columns={[
          {
            key: 'kind',
            header: 'Problem',
            cell: ({ kind }) => <Status kind={problemWords[kind].kind}>{problemWords[kind].word}</Status>,
          },
          {
            key: 'place',
            header: 'Where',
            rowHeader: true,
            cell: ({ place, index }) => (
              <span className="block min-w-36 [overflow-wrap:anywhere]">
                <span className="font-mono">{index ?? place}</span>
                {index ? <span className="block text-note text-muted">on {place}</span> : null}
              </span>
            ),
          },
          {
            key: 'because',
            header: 'Why',
            className: 'w-full',
            cell: ({ because, ddl }) => (
              <span className="block min-w-56 py-1">
                {because}
                {ddl ? (
                  <span className="flex items-center gap-1">
                    <code className="font-mono text-note text-muted [overflow-wrap:anywhere]">{ddl}</code>
                    <CopyButton text={ddl} label={`Copy ${ddl}`} />
                  </span>
                ) : null}
              </span>
            ),
          },
          {
            key: 'bytes',
            header: 'Size',
            numeric: true,
            // Nothing lies on disk for what has no index yet.
            cell: ({ index, bytes }) => (index && bytes > 0 ? formatBytes(bytes) : null),
          },
          {
            key: 'mend',
            header: <span className="sr-only">Mend</span>,
            className: 'text-right',
            cell: (problem) => <Mend of={problem} manage={manage} onMend={onMend} />,
          },
        ]}
        rows={problems}
        rowKey={keyOf}
        rowTone={({ kind }) => (problemWords[kind].kind === 'bad' ? 'bad' : undefined)}
        empty={
          <Empty kind="no-data" title="No problem was found">
            No duplicate, unused or unfinished index, no foreign key without one, no stale statistics and no
            long transaction.
          </Empty>
        }
      />
    </Section>
  )
}

const keyOf = ({ kind, place, index, ddl, because }: OfferedProblem) =>
  [kind, place, index, ddl ?? because].join('\n')

function Mend({
  of,
  manage,
  onMend,
}: {
  of: OfferedProblem
  manage: boolean
  onMend: (problem: OfferedProblem) => void
}) {
  if (of.kind === 'long-transaction') {
    return (
      <Link
        href="/database/sessions"
        className={`inline-flex min-h-6 items-center whitespace-nowrap ${plainLink}`}
      >
        See sessions
      </Link>
    )
  }
  if (of.kind === 'stale-statistics' && of.key === null) return <MaintainButton what="analyze" size="small" />
  if (of.key === null || !manage) return null
  const gone = drops(of.ddl)
  return (
    <Button
      size="small"
      aria-label={gone ? `Drop ${of.index}` : `Make the index on ${of.place}`}
      className="whitespace-nowrap"
      onClick={() => onMend(of)}
    >
      {gone ? 'Drop' : 'Make it'}
    </Button>
  )
}
