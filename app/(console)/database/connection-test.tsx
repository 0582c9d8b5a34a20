'use client'

import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ServerFields } from '@/components/database/server-fields'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import { Field, PasswordInput, Select } from '@/components/ui/field'
import { formatDuration } from '@/components/ui/format'
import { useSingleFlight } from '@/components/ui/single-flight'
import { Status, type StatusKind } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import type { RouterInputs, RouterOutputs } from '@/server/routers/_app'

type Target = Required<RouterInputs['database']['test']>
type Step = RouterOutputs['database']['test']['steps'][number]

const STATES: Record<Step['state'], { kind: StatusKind; word: string }> = {
  ok: { kind: 'ok', word: 'Good' },
  warning: { kind: 'warn', word: 'Attention' },
  failed: { kind: 'bad', word: 'Failed' },
  skipped: { kind: 'off', word: 'Skipped' },
}

/** Tries a PostgreSQL server step by step. Nothing that is entered here is kept. */
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
  const [run, busy] = useSingleFlight(() => test.mutateAsync(target).catch(() => {}))
  const set = (change: Partial<Target>) => setTarget((old) => ({ ...old, ...change }))
  return (
    <Section title="Connection test" note="PostgreSQL, step by step; nothing is kept">
      <form
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
          <Button type="submit" variant="primary" busy={busy}>
            Test the connection
          </Button>
          <span role="status">
            {test.data && !busy ? (
              <Status kind={test.data.ok ? 'ok' : 'bad'}>
                {test.data.ok
                  ? 'Holdfast can work with this server'
                  : 'Holdfast can’t work with this server yet'}
              </Status>
            ) : null}
          </span>
        </div>
      </form>
      <div role="alert" className="mt-4 empty:hidden">
        {test.error ? <ErrorText error={test.error} /> : null}
      </div>
      {test.data ? (
        <div className="mt-4">
          <Table<Step>
            caption="Steps of the connection test"
            density="roomy"
            columns={[
              { key: 'title', header: 'Step', rowHeader: true, cell: ({ title }) => title },
              {
                key: 'state',
                header: 'Result',
                cell: ({ state }) => <Status kind={STATES[state].kind}>{STATES[state].word}</Status>,
              },
              {
                key: 'detail',
                header: 'What was found, what to do',
                cell: ({ detail, remedy }) => (
                  <span className="block whitespace-normal">
                    {detail}
                    {remedy ? <span className="block text-muted">{remedy}</span> : null}
                  </span>
                ),
              },
              {
                key: 'time',
                header: 'Time',
                numeric: true,
                cell: ({ milliseconds }) => formatDuration(milliseconds),
              },
            ]}
            rows={test.data.steps}
            rowKey={({ id }) => id}
          />
        </div>
      ) : null}
    </Section>
  )
}

function sslOf(value: string): Target['ssl'] {
  return value === 'no-verify' ? 'no-verify' : value === 'true'
}
