'use client'

import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { KeyFacts, KeyValueFacts } from '@/components/cache/key-types'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import { useToast } from '@/components/ui/toast'
import { secondsTyped, ttlWords } from './words'

/** Gives a key another time to live. */
export function TtlForm({
  of,
  onChange,
}: {
  of: KeyValueFacts
  onChange: (key: string, facts: KeyFacts | null) => void
}) {
  const trpc = useTRPC()
  const { cache } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const [typed, setTyped] = useState('')
  const [wrong, setWrong] = useState(false)
  const [failure, setFailure] = useState<{ error: unknown }>()

  const [set, busy] = useSingleFlight(async (ttl: number | null) => {
    setFailure(undefined)
    try {
      await cache.expire.mutate({ key: of.key, ttl })
      setTyped('')
      toast({
        text: ttl === null ? 'The key lives for ever now.' : `The key lives ${ttlWords(ttl)} from now.`,
        tone: 'ok',
      })
      const { key, name, type, bytes } = of
      onChange(key, { key, name, type, bytes, ttl })
    } catch (error) {
      setFailure({ error })
    }
    await queries.invalidateQueries(trpc.cache.key.queryFilter({ key: of.key }))
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const ttl = secondsTyped(typed)
    setWrong(ttl === undefined)
    if (ttl !== undefined) void set(ttl)
  }
  return (
    <form method="post" onSubmit={submit} className="mt-4 flex flex-wrap items-start gap-2">
      <Field
        label="New time to live, in seconds"
        error={wrong ? 'Enter seconds above zero.' : undefined}
        className="w-full sm:w-56"
      >
        <Input
          inputMode="decimal"
          autoComplete="off"
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
        />
      </Field>
      <div className="flex flex-wrap gap-2 sm:pt-6">
        <Button type="submit" busy={busy}>
          Set
        </Button>
        <Button onClick={() => set(null)} disabled={of.ttl === null}>
          For ever
        </Button>
      </div>
      <div role="alert" className="w-full text-bad empty:hidden">
        {failure ? <ErrorText error={failure.error} /> : null}
      </div>
    </form>
  )
}
