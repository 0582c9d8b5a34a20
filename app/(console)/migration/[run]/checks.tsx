'use client'

import type { Check } from '@/components/migration/types'
import { checkWords } from '@/components/migration/words'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RunPartProps } from './actions'

/** The checks before a start: red blocks, amber must be acknowledged; each with cause and remedy. */
export function ChecksSection({ run, can, onChanged }: RunPartProps) {
  const client = useTRPCClient()
  const open = run.checks.filter(({ state, acknowledged }) => state === 'amber' && !acknowledged)
  const acknowledge = async (checks: string[]) => {
    await client.migration.acknowledge.mutate({ id: run.id, checks })
    await onChanged()
  }
  return (
    <Section
      title="Preflight"
      note={<Verdict checks={run.checks} making={run.phase !== null} />}
      actions={
        open.length > 1 && can.operate ? (
          <Button onClick={() => acknowledge(open.map(({ id }) => id))}>
            Acknowledge {formatCount(open.length, 'amber check')}
          </Button>
        ) : null
      }
    >
      {run.checks.length > 0 ? (
        <CheckList checks={run.checks} onAcknowledge={can.operate ? (id) => acknowledge([id]) : undefined} />
      ) : run.phase !== null ? (
        <Skeleton className="h-64 w-full" label="Checking source and target" />
      ) : (
        <Empty kind="no-data" title="Nothing was checked">
          Check again to find out what stands in the way.
        </Empty>
      )}
    </Section>
  )
}

/** Checks as ledger lines, the worst first. */
export function CheckList({
  checks,
  onAcknowledge,
}: {
  checks: readonly Check[]
  onAcknowledge?: (id: string) => Promise<unknown>
}) {
  const rank = { red: 0, amber: 1, green: 2 }
  const sorted = [...checks].sort((a, b) => rank[a.state] - rank[b.state])
  return (
    <ul className="border-t border-border">
      {sorted.map((check) => (
        <li
          key={check.id}
          className="grid items-baseline gap-x-4 gap-y-1 border-b border-border py-2 sm:grid-cols-[5rem_12rem_1fr]"
        >
          <Status kind={checkWords[check.state].kind}>{checkWords[check.state].word}</Status>
          <span className="font-medium">{check.title}</span>
          <span className="min-w-0 wrap-anywhere">
            {check.detail}
            {check.remedy ? (
              <span className="block text-muted">
                {looksLikeSql(check.remedy) ? <Mono>{check.remedy}</Mono> : check.remedy}
              </span>
            ) : null}
            {check.acknowledged ? (
              <span className="block text-muted">
                Acknowledged by {check.acknowledged.by}, <Time at={check.acknowledged.at} />
              </span>
            ) : check.state === 'amber' && onAcknowledge ? (
              <span className="mt-1 block">
                <Button
                  size="small"
                  aria-label={`Acknowledge: ${check.title}`}
                  onClick={() => onAcknowledge(check.id)}
                >
                  Acknowledge
                </Button>
              </span>
            ) : null}
          </span>
        </li>
      ))}
    </ul>
  )
}

const looksLikeSql = (text: string) => /^(GRANT|CREATE|ALTER|SET) /.test(text)

function Verdict({ checks, making }: { checks: readonly Check[]; making: boolean }) {
  if (making) return <span>at work</span>
  if (checks.length === 0) return null
  const count = (state: Check['state']) => checks.filter((check) => check.state === state).length
  return (
    <span>
      {count('red')} red · {count('amber')} amber · {count('green')} green
    </span>
  )
}
