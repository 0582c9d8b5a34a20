'use client'

import { useQuery } from '@tanstack/react-query'
import { factorOf, formatCost } from '@/components/database/cost'
import { StatementLink } from '@/components/database/statement-link'
import { StatementText } from '@/components/database/statement-text'
import type { IndexChange } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { formatDuration, formatNumber } from '@/components/ui/format'
import { KeyValue, type KeyValueItem } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { ChangeState, Effect } from './change-effect'

/** One change: what was run, what takes it back, what was expected and what was measured. */
export function ChangeDrawer({
  id,
  change,
  onClose,
}: {
  id: string | null
  change: IndexChange | undefined
  onClose: () => void
}) {
  return (
    <Drawer open={id !== null} onClose={onClose} title={change?.index ?? 'Index'} subtitle={change?.table}>
      {change ? (
        <>
          <KeyValue items={facts(change)} />
          <h3 className="mt-6 mb-2 font-medium">What was run</h3>
          <StatementText sql={change.ddl} label="Copy what was run" />
          <h3 className="mt-6 mb-2 font-medium">What takes it back</h3>
          <StatementText sql={change.undo} label="Copy what takes it back" />
          <Served fingerprints={change.fingerprints} />
        </>
      ) : (
        <Empty kind="no-match" title="There is no such change" />
      )}
    </Drawer>
  )
}

function facts(change: IndexChange): KeyValueItem[] {
  const { expected, before, after, actor, requestedAt, finishedAt, undoneAt } = change
  return [
    { label: 'State', value: <ChangeState of={change} /> },
    { label: 'Asked for', value: <Time at={requestedAt} /> },
    { label: 'By', value: actor },
    ...(finishedAt === null
      ? []
      : [{ label: 'Took', value: formatDuration(Math.max(finishedAt - requestedAt, 0)) }]),
    ...(undoneAt === null ? [] : [{ label: 'Undone', value: <Time at={undoneAt} /> }]),
    ...(expected
      ? [
          {
            label: 'Expected cost',
            value: `${formatCost(expected.costBefore)} → ${formatCost(expected.costAfter)}, ${factorOf(expected.costBefore, expected.costAfter)} less`,
          },
        ]
      : []),
    { label: 'Measured before', value: <Stretch of={before} /> },
    { label: 'Measured after', value: <Stretch of={after} /> },
    { label: 'Effect', value: <Effect of={change} /> },
  ]
}

function Stretch({ of }: { of: IndexChange['before'] }) {
  if (!of) return <span className="text-muted">not measured</span>
  return (
    <>
      {formatDuration(of.meanMs)} over {formatNumber(of.calls)} calls
      <span className="block text-note text-muted">
        <Time at={of.from} /> to <Time at={of.to} />
      </span>
    </>
  )
}

function Served({ fingerprints }: { fingerprints: string[] }) {
  const { data } = useQuery(useTRPC().database.statements.queryOptions())
  if (fingerprints.length === 0) return null
  const texts = new Map(data?.statements.map(({ fingerprint, text }) => [fingerprint, text]))
  return (
    <>
      <h3 className="mt-6 mb-2 font-medium">Statements it was for</h3>
      <ul className="border-t border-border">
        {fingerprints.map((fingerprint) => (
          <li key={fingerprint} className="border-b border-border py-1">
            <StatementLink fingerprint={fingerprint} text={texts.get(fingerprint) ?? fingerprint} />
          </li>
        ))}
      </ul>
    </>
  )
}
