'use client'

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import dynamic from 'next/dynamic'
import { type ReactNode, useRef, useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import { useMay } from '@/components/auth/use-may'
import { useLiveEvent } from '@/components/live/live'
import { useSteady } from '@/components/live/use-steady'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Progress } from '@/components/ui/progress'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { RelativeTime } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'
import { Verdict } from './verdict'

type AuditState = RouterOutputs['security']['audit']['state']

const RetentionDialog = dynamic(() => import('./retention-dialog').then((module) => module.RetentionDialog))

const LEAST_MS = 2_000
const WHILE_VERIFYING_MS = 700

/** Whether the log can be trusted, up to where, and by what; the button that looks. */
export function LogState({ onOpen }: { onOpen: (seq: number) => void }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { operate, manage } = useMay('security')
  const [told, setTold] = useState(false)
  const [retaining, setRetaining] = useState(false)
  const verifyButton = useRef<HTMLButtonElement>(null)
  useAsked('retention', () => setRetaining(true))
  useAsked('verify', () => verifyButton.current?.focus(), operate)
  const stepUp = useStepUp()
  const state = useQuery(
    trpc.security.audit.state.queryOptions(undefined, {
      refetchInterval: ({ state: { data } }) => (data?.verifying ? WHILE_VERIFYING_MS : false),
    }),
  )
  const again = useSteady(() => state.refetch({ cancelRefetch: false }), LEAST_MS)
  useLiveEvent('audit', again)
  const verify = useMutation(
    trpc.security.audit.verify.mutationOptions({
      onSuccess: () => queries.invalidateQueries(trpc.security.audit.state.queryFilter()),
    }),
  )
  const { data } = state
  if (state.isError && !data)
    return <ErrorTile error={state.error} what="State of the log" onRetry={() => state.refetch()} />
  if (!data) return <Skeleton className="h-12 w-full" label="Reading the state of the log" />
  const { verifying, verified } = data
  const broken = verified?.result?.sound === false
  return (
    <section aria-label="State of the log" className="border-b border-border py-2">
      <div className="flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p className="flex min-w-0 flex-auto flex-wrap items-center gap-x-3 gap-y-1" role="status">
          <Trust verified={verified} />
          {partsOf(data).map(({ key, text }) => (
            <span key={key} className="text-muted">
              {text}
            </span>
          ))}
        </p>
        <span className="flex flex-wrap items-center gap-2">
          {verified?.result && !broken ? (
            <Button variant="plain" aria-expanded={told} onClick={() => setTold(!told)}>
              What was verified
            </Button>
          ) : null}
          <Button variant="plain" aria-haspopup="dialog" onClick={() => setRetaining(true)}>
            Retention
          </Button>
          <Button
            ref={verifyButton}
            disabled={!operate}
            title={operate ? undefined : 'It takes an operator'}
            busy={verify.isPending || verifying !== null}
            onClick={() => verify.mutateAsync().catch(() => {})}
          >
            Verify
          </Button>
        </span>
      </div>
      {verify.isError ? (
        <div role="alert" className="mt-2 border-l-2 border-bad pl-3 text-bad">
          <ErrorText error={verify.error} />
        </div>
      ) : null}
      {verifying ? (
        <div className="mt-2">
          <Progress
            key={verifying.startedAt}
            label="Verifying the log"
            value={verifying.rows}
            max={verifying.last || undefined}
            detail={
              verifying.last
                ? `${formatNumber(verifying.rows)} of ${formatCount(verifying.last, 'event')}`
                : ''
            }
          />
        </div>
      ) : null}
      {!verifying && verified?.result && (broken || told) ? (
        <Verdict verified={{ ...verified, result: verified.result }} onOpen={onOpen} />
      ) : null}
      {retaining ? (
        <RetentionDialog manage={manage} ask={stepUp.ask} onClose={() => setRetaining(false)} />
      ) : null}
      {stepUp.dialog}
    </section>
  )
}

function Trust({ verified }: Pick<AuditState, 'verified'>) {
  if (!verified) return <Status kind="off">Not verified yet</Status>
  const { result, error, endedAt } = verified
  const when = (
    <span className="ml-1 font-normal">
      <RelativeTime at={endedAt} />
    </span>
  )
  if (!result)
    return (
      <Status kind="warn" title={error ?? undefined}>
        Could not be verified {when}
      </Status>
    )
  if (!result.sound)
    return (
      <Status kind="bad">
        Tampered with: {Object.keys(result.counts).join(', ')} {when}
      </Status>
    )
  return (
    <Status kind="ok">
      Verified up to #{formatNumber(result.last ?? 0)} {when}
    </Status>
  )
}

/** How far the rounds in the background are, and when the last one came to the end. */
function RoundsText({
  rounds: { seq, last },
  head,
}: {
  rounds: NonNullable<AuditState['rounds']>
  head: number
}) {
  if (!last)
    return (
      <>
        Checked in the background: #{formatNumber(seq)} of #{formatNumber(head)}
      </>
    )
  return (
    <span title="Every event's hash and signature, again and again">
      Checked whole in the background <RelativeTime at={last.endedAt} />
    </span>
  )
}

function partsOf({
  checkpoint,
  unprotected,
  protection,
  rounds,
  head,
  problem,
  verified,
}: AuditState): { key: string; text: ReactNode }[] {
  const parts = [
    {
      key: 'checkpoint',
      text: checkpoint ? (
        <>
          {unprotected.events === 0
            ? 'No event'
            : unprotected.events === 1
              ? '1 event'
              : formatCount(unprotected.events, 'event')}{' '}
          after the last checkpoint (#{formatNumber(checkpoint.seq)})
        </>
      ) : (
        'No checkpoint yet'
      ),
    },
    {
      key: 'protection',
      text: protection === 'append-only' ? 'Append-only' : 'Tamper-evident, not append-only',
    },
  ]
  if (rounds && head) parts.push({ key: 'rounds', text: <RoundsText rounds={rounds} head={head.seq} /> })
  if (problem) parts.push({ key: 'problem', text: <Status kind="warn">{problem}</Status> })
  if (verified?.error) parts.push({ key: 'error', text: verified.error })
  return parts
}
