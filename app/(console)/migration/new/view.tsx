'use client'

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { ConnectionDialog } from '@/components/migration/connection-form'
import { Ribbon } from '@/components/migration/ribbon'
import type { SourceRef, TargetRef } from '@/components/migration/types'
import { useCan } from '@/components/migration/use-can'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import { PageHeader, Section } from '@/components/ui/text'
import { type Purpose, PurposeStep } from './purpose-step'
import { SourceStep } from './source-step'
import { TargetStep } from './target-step'

/** The first two steps of a migration. With both chosen a run is made, whose page goes on with the others. */
export function NewRunView() {
  const trpc = useTRPC()
  const client = useQueryClient()
  const router = useRouter()
  const can = useCan()
  const targets = useQuery(trpc.migration.targets.queryOptions())
  const create = useMutation(trpc.migration.create.mutationOptions())
  const [source, setSource] = useState<SourceRef>()
  const [chosen, setTarget] = useState<TargetRef>()
  const [schema, setSchema] = useState('public')
  const [wantsCapture, setCapture] = useState(false)
  const [wanted, setPurpose] = useState<Purpose>('migrate')
  const [entering, setEntering] = useState(false)
  const target = chosen ?? onlyTarget(targets.data)
  const own = source?.kind === 'store'
  const purpose = own ? 'migrate' : wanted
  const capture = wantsCapture && source?.kind === 'folder' && purpose === 'migrate'
  const [submit, busy] = useSingleFlight(async () => {
    if (!source || !target) return
    const run = await create
      .mutateAsync({ source, target, schema: own ? 'public' : schema, purpose, capture })
      .catch(() => null)
    if (!run) return
    await client.invalidateQueries({ queryKey: trpc.migration.runs.queryKey() })
    router.push(`/migration/${run.id}`)
  })
  if (!can.manage) {
    return (
      <>
        <PageHeader title="New migration" />
        <Empty kind="no-permission" title="Only admins start migrations">
          Ask an admin to do it or to change your role.
        </Empty>
      </>
    )
  }
  return (
    <>
      <PageHeader
        title="New migration"
        lead="Choose what to move and where to. Checks and a plan come next; nothing is written before you start."
      />
      <Ribbon run={null} />
      <form
        method="post"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          void submit()
        }}
      >
        <SourceStep value={source} onChange={setSource} />
        <TargetStep value={target} onChange={setTarget} onEnter={() => setEntering(true)} />
        <Section title="Schema" note="Where in the database the tables go.">
          <Field
            className="max-w-80"
            label="Schema"
            hint={
              own
                ? 'The console’s own store always lives in public.'
                : 'It is made if it does not exist; tables of the same name stop the run before it writes.'
            }
            required
          >
            <Input
              name="schema"
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              className="font-mono"
              maxLength={63}
              disabled={own}
              value={own ? 'public' : schema}
              onChange={(event) => setSchema(event.target.value)}
            />
          </Field>
        </Section>
        <PurposeStep
          value={purpose}
          source={source?.kind}
          onChange={setPurpose}
          capture={wantsCapture}
          onCapture={setCapture}
        />
        <div role="alert" className="mt-4 empty:hidden">
          {create.error ? <ErrorText error={create.error} /> : null}
        </div>
        <div className="mt-6 flex items-center gap-4">
          <Button
            type="submit"
            variant="primary"
            busy={busy}
            disabled={!source || !target || schema.trim() === ''}
            title={!source ? 'Choose a source first' : !target ? 'Choose a target first' : undefined}
          >
            Check and plan
          </Button>
          <span className="text-muted">Reads the source and looks at the target; writes nothing.</span>
        </div>
      </form>
      <ConnectionDialog
        open={entering}
        onClose={() => setEntering(false)}
        onSaved={({ id }) => setTarget({ kind: 'connection', id })}
      />
    </>
  )
}

/** With one target there is nothing to choose. */
function onlyTarget(
  targets: { environment: object | null; connections: { id: string }[] } | undefined,
): TargetRef | undefined {
  if (!targets) return undefined
  if (targets.environment) return targets.connections.length === 0 ? { kind: 'environment' } : undefined
  const [first, second] = targets.connections
  return first && !second ? { kind: 'connection', id: first.id } : undefined
}
