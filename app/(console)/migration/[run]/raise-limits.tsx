'use client'

import { type FormEvent, useState } from 'react'
import type { Run } from '@/components/migration/types'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'

/** The run stopped because more rows were rejected than it may: a higher limit lets it go on. */
export function RaiseLimits({
  run,
  total,
  onChanged,
}: {
  run: Run
  total: number
  onChanged: () => unknown
}) {
  const client = useTRPCClient()
  const [most, setMost] = useState(total * 10)
  const [error, setError] = useState<unknown>()
  const [submit, busy] = useSingleFlight(async () => {
    setError(undefined)
    try {
      await client.migration.rejectLimits.mutate({ id: run.id, rejects: { perTable: most, perRun: most } })
      await client.migration.resume.mutate({ id: run.id })
    } catch (cause) {
      setError(cause)
    }
    await onChanged()
  })
  return (
    <form
      method="post"
      className="mb-3 flex flex-wrap items-end gap-3"
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        void submit()
      }}
    >
      <Field className="w-48" label="Rejected rows at most">
        <Input
          type="number"
          min={total + 1}
          max={1_000_000}
          inputMode="numeric"
          value={most}
          onChange={({ target }) => setMost(Number(target.value))}
        />
      </Field>
      <Button type="submit" busy={busy}>
        Raise the limit and resume
      </Button>
      {error ? (
        <div role="alert" className="basis-full">
          <ErrorText error={error} />
        </div>
      ) : null}
    </form>
  )
}
