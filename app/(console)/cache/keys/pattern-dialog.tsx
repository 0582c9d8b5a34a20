'use client'

import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { StepUpDialog } from '@/components/auth/step-up-dialog'
import type { KeyScope, MatchCount } from '@/components/cache/key-types'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { Dialog, DialogError } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input, Select } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { formatCount, formatNumber } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { ScrollRegion } from '@/components/ui/scroll-region'
import { useSingleFlight } from '@/components/ui/single-flight'
import { Mono } from '@/components/ui/text'
import { useToast } from '@/components/ui/toast'

/** An older count says too little of what would be deleted now. */
const FRESH_MS = 120_000

interface Pattern {
  scope: KeyScope
  pattern: string
}

interface Counted {
  of: Pattern
  count: MatchCount
  /** By the browser's clock. */
  at: number
}

/** Deletes what a pattern matches: counted first, then the count typed and a fresh factor. */
export function PatternDialog({ start, own, onClose }: { start: Pattern; own: string; onClose: () => void }) {
  const trpc = useTRPC()
  const { cache } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const now = useNow()
  const [asked, setAsked] = useState(start)
  const [counted, setCounted] = useState<Counted>()
  const [failure, setFailure] = useState<{ error: unknown }>()
  const [deleting, setDeleting] = useState<Counted>()

  const [count, counting] = useSingleFlight(async () => {
    setFailure(undefined)
    setCounted(undefined)
    try {
      setCounted({ of: asked, count: await cache.match.query(asked), at: Date.now() })
    } catch (error) {
      setFailure({ error })
    }
  })
  const current =
    counted && counted.of.pattern === asked.pattern && counted.of.scope === asked.scope ? counted : undefined
  const old = current !== undefined && now - current.at > FRESH_MS
  const ready = current !== undefined && !old && current.count.matched > 0

  async function remove(of: Pattern, grantId: string) {
    try {
      const { deleted } = await cache.deletePattern.mutate(of, { context: { stepUp: grantId } })
      toast({ text: `${formatCount(deleted, 'key')} deleted.`, tone: 'ok' })
    } finally {
      // Also after a failure: a part may be gone.
      void queries.invalidateQueries(trpc.cache.pathFilter())
    }
  }
  if (deleting) {
    const { of, count } = deleting
    return (
      <StepUpDialog
        asked={{
          action: 'cache.deletePattern',
          input: of,
          title: `Delete ${formatCount(count.matched, 'key')}`,
          label: 'Delete the keys',
          effect: (
            <>
              Deletes every key that matches <Mono>{wholePattern(of, own)}</Mono>:{' '}
              {formatNumber(count.matched)} when they were counted, and what has been added since. It cannot
              be taken back.
            </>
          ),
          confirmName: String(count.matched),
          variant: 'danger',
          run: (grantId) => remove(of, grantId),
        }}
        onClose={onClose}
      />
    )
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (asked.pattern !== '') void count()
  }
  const change = (next: Partial<Pattern>) => setAsked((before) => ({ ...before, ...next }))
  return (
    <Dialog open onClose={onClose} title="Delete by pattern" wide>
      <form method="post" onSubmit={submit} className="flex flex-col gap-4">
        <Field label="Keys of">
          <Select
            value={asked.scope}
            onChange={({ target }) => change({ scope: target.value === 'all' ? 'all' : 'ours' })}
          >
            <option value="ours">This cache</option>
            <option value="all">Everything in Redis</option>
          </Select>
        </Field>
        <Field
          label="Pattern"
          hint={
            asked.scope === 'ours' ? (
              <>
                What follows <Mono>{own}</Mono>. * stands for anything, ? for one character, [ab] for a or b.
              </>
            ) : (
              'Over the whole key. * stands for anything, ? for one character, [ab] for a or b.'
            )
          }
          required
        >
          <Input
            data-autofocus=""
            className="font-mono"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            maxLength={1024}
            value={asked.pattern}
            onChange={({ target }) => change({ pattern: target.value })}
          />
        </Field>
        {asked.scope === 'all' ? (
          <Callout tone="warn" title="Keys of other applications too">
            The pattern is not held to this cache.
          </Callout>
        ) : null}
        <DialogError>{failure ? <ErrorText error={failure.error} /> : null}</DialogError>
        <div role="status" className="empty:hidden">
          {counting ? 'Counting: every key of every primary is looked at.' : null}
          {current && !counting ? <Found of={current.count} old={old} /> : null}
        </div>
        <FormActions onCancel={onClose}>
          <Button
            type="submit"
            variant={ready ? 'quiet' : 'primary'}
            busy={counting}
            disabled={asked.pattern === ''}
          >
            {current ? 'Count again' : 'Count'}
          </Button>
          <Button
            variant="danger"
            disabled={!ready}
            title={ready ? undefined : 'Count what this pattern matches first'}
            onClick={() => setDeleting(current)}
          >
            {ready ? `Delete ${formatCount(current.count.matched, 'key')}…` : 'Delete…'}
          </Button>
        </FormActions>
      </form>
    </Dialog>
  )
}

/** As it stands in Redis. */
const wholePattern = ({ scope, pattern }: Pattern, own: string) =>
  scope === 'ours' ? own + pattern : pattern

function Found({ of: { matched, scanned, examples }, old }: { of: MatchCount; old: boolean }) {
  return (
    <>
      <p className="font-medium tabular-nums">
        {formatCount(matched, 'key matches', 'keys match')}, of {formatNumber(scanned)} looked at.
      </p>
      {old ? <p className="text-warn">Counted more than 2 minutes ago: count again to delete.</p> : null}
      {examples.length > 0 ? (
        <ScrollRegion
          label="Examples of keys"
          className="mt-2 max-h-40 overflow-y-auto border-y border-border"
        >
          {' '}
          <ul aria-label="Examples" className="py-1">
            {examples.map((example) => (
              <li key={example}>
                <Mono>{example}</Mono>
              </li>
            ))}
            {matched > examples.length ? (
              <li className="text-muted">and {formatCount(matched - examples.length, 'other')}</li>
            ) : null}
          </ul>
        </ScrollRegion>
      ) : null}
    </>
  )
}
