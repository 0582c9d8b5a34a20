'use client'

import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import { ServerFields } from '@/components/database/server-fields'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import { Field, PasswordInput, Select } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import { PageHeader } from '@/components/ui/text'
import type { RouterInputs } from '@/server/routers/_app'
import { TestSteps } from './steps'

type Target = Required<RouterInputs['database']['test']>
/** Asks for a PostgreSQL server and tries it. */
export function ConnectionTest() {
  const trpc = useTRPC()
  const test = useMutation(trpc.database.test.mutationOptions())
  const [target, setTarget] = useState<Target>({
    host: '',
    port: 5432,
    database: '',
    user: '',
    password: '',
    ssl: false,
  })
  const { operate } = useMay('database')
  const [tried, setTried] = useState<string>()
  const [run, busy] = useSingleFlight(async () => {
    setTried(`${target.host}:${target.port}/${target.database}`)
    await test.mutateAsync(target).catch(() => {})
  })
  const set = (change: Partial<Target>) => setTarget((old) => ({ ...old, ...change }))
  return (
    <>
      <PageHeader
        title="Connection test"
        lead="Tries a PostgreSQL server step by step, from its name to its state, and says what to do where a step fails. Nothing that is entered here is kept."
      />
      <form
        method="post"
        className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          void run()
        }}
      >
        <ServerFields value={target} onChange={set} />
        <Field label="Password">
          <PasswordInput
            name="password"
            autoComplete="off"
            value={target.password}
            onChange={(event) => set({ password: event.target.value })}
          />
        </Field>
        <Field label="TLS">
          <Select
            name="ssl"
            value={String(target.ssl)}
            onChange={(event) => set({ ssl: sslOf(event.target.value) })}
          >
            <option value="false">Plain</option>
            <option value="true">Verified</option>
            <option value="no-verify">Encrypted, not verified</option>
          </Select>
        </Field>
        <div className="flex items-center gap-4 sm:col-span-2 lg:col-span-3">
          <Button
            type="submit"
            variant="primary"
            busy={busy}
            disabled={!operate}
            title={operate ? undefined : 'Only operators and admins may try a server'}
          >
            Test the connection
          </Button>
          <span role="status" className="text-muted">
            {busy ? 'Trying step by step…' : ''}
          </span>
        </div>
      </form>
      <div role="alert" className="mt-4 empty:hidden">
        {test.error ? <ErrorText error={test.error} /> : null}
      </div>
      {test.data && tried ? <TestSteps test={test.data} place={tried} /> : null}
    </>
  )
}

function sslOf(value: string): Target['ssl'] {
  return value === 'no-verify' ? 'no-verify' : value === 'true'
}
