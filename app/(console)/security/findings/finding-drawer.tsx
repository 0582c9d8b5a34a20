'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { saysOf } from '@/components/auth/client'
import { SeverityMark } from '@/components/security/severity-mark'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Drawer } from '@/components/ui/drawer'
import { ErrorText } from '@/components/ui/error-text'
import { ErrorTile } from '@/components/ui/error-tile'
import { Field, Input } from '@/components/ui/field'
import { Link } from '@/components/ui/link'
import { useSingleFlight } from '@/components/ui/single-flight'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { KeyValue, Mono } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import type { RouterOutputs } from '@/server/routers/_app'
import { type Move, useMove } from './use-move'
import { doneInWords, stateWords } from './words'

type One = RouterOutputs['security']['findings']['one']

/** One finding: what it means, the events behind it, and what is done with it. */
export function FindingDrawer({ id, onClose }: { id: string | null; onClose: () => void }) {
  const trpc = useTRPC()
  const one = useQuery(trpc.security.findings.one.queryOptions({ id: id ?? '' }, { enabled: id !== null }))
  const { data: me } = useQuery(trpc.auth.me.queryOptions())
  const operate = me?.permissions.includes('security:operate') ?? false
  return (
    <Drawer
      open={id !== null}
      onClose={onClose}
      title={one.data?.title ?? 'Finding'}
      subtitle={one.data ? <Mono>{one.data.subject}</Mono> : undefined}
    >
      {one.data ? (
        <>
          <Facts finding={one.data} />
          <Evidence finding={one.data} />
          {operate && me ? (
            <Moves key={one.data.id} finding={one.data} by={me.email} />
          ) : (
            <p className="mt-6 text-muted">Operators and admins acknowledge and close findings.</p>
          )}
        </>
      ) : one.error ? (
        <ErrorTile error={one.error} what="The finding" onRetry={() => one.refetch()} />
      ) : (
        <Skeleton className="h-64 w-full" label="Loading the finding" />
      )}
    </Drawer>
  )
}

function Facts({ finding }: { finding: One }) {
  const { summary, explanation, severity, state, dryRun, count, firstAt, lastAt, responses, note } = finding
  const { acknowledgedBy, acknowledgedAt, closedBy, closedAt } = finding
  return (
    <>
      <p className="font-medium wrap-anywhere">{summary}</p>
      <p className="mt-1 mb-4 text-muted">{explanation}</p>
      <KeyValue
        items={[
          {
            label: 'Severity',
            value: <SeverityMark severity={severity} />,
          },
          { label: 'State', value: <Status kind={stateWords[state].kind}>{stateWords[state].word}</Status> },
          { label: 'Events', value: count },
          { label: 'First', value: <Time at={firstAt} seconds /> },
          { label: 'Last', value: <Time at={lastAt} seconds /> },
          {
            label: 'What was done',
            value: dryRun ? (
              'Nothing: the rule is tried dry.'
            ) : (
              <ul>
                <li>Alert raised</li>
                {responses.map((done) => (
                  <li key={`${done.kind} ${done.target} ${done.at}`}>
                    {doneInWords(done)}, <Time at={done.at} />
                  </li>
                ))}
              </ul>
            ),
          },
          ...(acknowledgedBy
            ? [
                {
                  label: 'Acknowledged',
                  value: (
                    <>
                      {acknowledgedBy}, <Time at={acknowledgedAt} />
                    </>
                  ),
                },
              ]
            : []),
          ...(closedBy
            ? [
                {
                  label: 'Closed',
                  value: (
                    <>
                      {closedBy}, <Time at={closedAt} />
                    </>
                  ),
                },
              ]
            : []),
          ...(note ? [{ label: 'Note', value: note }] : []),
        ]}
      />
    </>
  )
}

function Evidence({ finding }: { finding: One }) {
  const { evidence, count } = finding
  return (
    <section className="mt-6">
      <h3 className="mb-2 font-medium">
        Evidence
        {evidence.length < count ? (
          <span className="ml-2 font-normal text-muted">
            {evidence.length} of {count} events, the first and the latest
          </span>
        ) : null}
      </h3>
      <ul className="border-t border-border">
        {evidence.map(({ seq, time, event, actor, address, reason }) => (
          <li key={seq} className="border-b border-border py-1.5">
            <Link href={`/security?event=${seq}`} className="underline underline-offset-4">
              <Mono>{event}</Mono>
            </Link>{' '}
            <Time at={time} seconds />
            <span className="block text-muted wrap-anywhere">
              <Link
                href={`/security?actor=${encodeURIComponent(actor)}`}
                className="underline underline-offset-4"
              >
                {actor}
              </Link>
              {address ? (
                <>
                  {' '}
                  from{' '}
                  <Link
                    href={`/security?address=${encodeURIComponent(address)}`}
                    className="underline underline-offset-4"
                  >
                    <Mono>{address}</Mono>
                  </Link>
                </>
              ) : null}
              {reason ? `: ${reason}` : ''}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Moves({ finding, by }: { finding: One; by: string }) {
  const { state } = finding
  const [note, setNote] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const toast = useToast()
  const change = useMove(finding.id, by)
  const [move, busy] = useSingleFlight(async (to: Move) => {
    setFailure(undefined)
    const written = note.trim()
    try {
      await change(to, written || undefined)
    } catch (error) {
      setFailure({ error })
      return
    }
    setNote('')
    if (to !== 'acknowledge') return
    const undo = () =>
      change('reopen', written ? (finding.note ?? '') : undefined).catch((error: unknown) =>
        toast({ text: saysOf(error), tone: 'bad' }),
      )
    toast({ text: 'The finding is acknowledged.', tone: 'ok', undo })
  })
  return (
    <section className="mt-6 flex flex-col gap-3">
      <Field label="Note" hint="Why, for who reads it later.">
        <Input value={note} maxLength={500} onChange={({ target }) => setNote(target.value)} />
      </Field>
      <div role="alert" className="text-bad empty:hidden">
        {failure ? <ErrorText error={failure.error} /> : null}
      </div>
      <div className="flex flex-wrap gap-2">
        {state === 'open' ? (
          <Button onClick={() => move('acknowledge')} disabled={busy}>
            Acknowledge
          </Button>
        ) : null}
        {state === 'closed' ? null : (
          <Button variant="primary" onClick={() => move('close')} disabled={busy}>
            Close
          </Button>
        )}
        {state === 'open' ? null : (
          <Button onClick={() => move('reopen')} disabled={busy}>
            Reopen
          </Button>
        )}
      </div>
    </section>
  )
}
