'use client'

import { type ReactNode, useId } from 'react'
import { StatementText } from '@/components/database/statement-text'
import type { Statement } from '@/components/database/types'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { TileBoundary } from '@/components/ui/error-tile'
import { Figure } from '@/components/ui/figure'
import { formatDuration, formatNumber, formatShare } from '@/components/ui/format'
import { KeyValue } from '@/components/ui/text'
import { StatementAdvice } from './statement-advice'
import { StatementHistory } from './statement-history'
import { StatementPlan } from './statement-plan'

/** One statement: its text, figures, past, plan, and the index that would help it. */
export function StatementDrawer({
  fingerprint,
  statement,
  onClose,
}: {
  /** From the URL; null when it is closed. */
  fingerprint: string | null
  statement: Statement | undefined
  onClose: () => void
}) {
  return (
    <Drawer
      open={fingerprint !== null}
      onClose={onClose}
      title="Statement"
      subtitle={statement ? `${formatShare(statement.share)} of the time of all statements` : undefined}
    >
      {statement ? (
        <div key={statement.fingerprint}>
          <StatementText sql={statement.text} />
          <KeyValue items={figures(statement)} className="mt-4" />
          <Part title="Index advice">
            <StatementAdvice fingerprint={statement.fingerprint} />
          </Part>
          <Part title="Over time">
            <StatementHistory fingerprint={statement.fingerprint} />
          </Part>
          <Part title="Plan">
            <StatementPlan fingerprint={statement.fingerprint} />
          </Part>
        </div>
      ) : (
        <Empty kind="no-match" title="This statement is not in the list">
          Its figures were reset, or others took more time since.
        </Empty>
      )}
    </Drawer>
  )
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  const id = useId()
  return (
    <section aria-labelledby={id} className="mt-6">
      <h3 id={id} className="mb-2 font-medium">
        {title}
      </h3>
      <TileBoundary what={title}>{children}</TileBoundary>
    </section>
  )
}

function figures({ calls, totalMs, meanMs, maxMs, rows, errors, cacheHitRatio }: Statement) {
  return [
    { label: 'Calls', value: formatNumber(calls) },
    { label: 'Time in all', value: formatDuration(totalMs) },
    { label: 'Mean', value: formatDuration(meanMs) },
    { label: 'Longest', value: <Figure value={maxMs} format={formatDuration} /> },
    { label: 'Rows', value: <Figure value={rows} format={formatNumber} /> },
    {
      label: 'Rows a call',
      value: <Figure value={rows === null ? null : rows / Math.max(calls, 1)} format={perCall} />,
    },
    { label: 'Errors', value: <Figure value={errors} format={formatNumber} /> },
    { label: 'Blocks found in cache', value: <Figure value={cacheHitRatio} format={formatShare} /> },
  ]
}

const perCall = (value: number | null | undefined) =>
  formatNumber(value, typeof value === 'number' && value < 10 && !Number.isInteger(value) ? 1 : 0)
