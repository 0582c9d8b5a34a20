'use client'

import { useMutation, useQuery } from '@tanstack/react-query'
import { ConnectionResult } from '@/components/migration/connection-result'
import type { TargetRef } from '@/components/migration/types'
import { placeOf } from '@/components/migration/words'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorText } from '@/components/ui/error-text'
import { ErrorTile } from '@/components/ui/error-tile'
import { RadioGroup } from '@/components/ui/field'
import { Skeleton } from '@/components/ui/skeleton'
import { Mono, Section } from '@/components/ui/text'

interface StepProps {
  value: TargetRef | undefined
  onChange: (target: TargetRef) => void
  /** Another server is to be entered. */
  onEnter: () => void
}

const refOf = (key: string): TargetRef =>
  key === 'environment' ? { kind: 'environment' } : { kind: 'connection', id: key }
const keyOf = (target: TargetRef | undefined): string =>
  !target ? '' : target.kind === 'environment' ? 'environment' : target.id

/** The environment's server, a known connection, or one entered now. */
export function TargetStep({ value, onChange, onEnter }: StepProps) {
  const trpc = useTRPC()
  const targets = useQuery(trpc.migration.targets.queryOptions())
  const test = useMutation(trpc.migration.testTarget.mutationOptions())
  const { data } = targets
  const options = data
    ? [
        ...(data.environment
          ? [
              {
                value: 'environment',
                label: 'From the environment',
                hint: <Mono>{`${data.environment.place} as ${data.environment.user}`}</Mono>,
              },
            ]
          : []),
        ...data.connections.map((connection) => ({
          value: connection.id,
          label: connection.name,
          hint: <Mono>{`${placeOf(connection)} as ${connection.user}`}</Mono>,
        })),
      ]
    : []
  // What was tested may not be what is chosen now.
  const tested = keyOf(test.variables) === keyOf(value)
  return (
    <Section
      title="Target"
      note="PostgreSQL 13 or newer."
      actions={<Button onClick={onEnter}>New connection</Button>}
    >
      {targets.error && !data ? (
        <ErrorTile error={targets.error} what="Targets" onRetry={() => targets.refetch()} />
      ) : !data ? (
        <Skeleton className="h-24 w-full" label="Reading the targets" />
      ) : options.length === 0 ? (
        <Empty kind="no-data" title="No target is known">
          Enter a connection, or set DB_HOST and the other DB_ variables.
        </Empty>
      ) : (
        <RadioGroup
          legend={<span className="sr-only">Target</span>}
          name="target"
          value={keyOf(value)}
          onChange={(key) => onChange(refOf(key))}
          options={options}
        />
      )}
      {value ? (
        <div className="mt-3 flex flex-col items-start gap-3">
          <Button onClick={() => test.mutateAsync(value).catch(() => {})}>Test the connection</Button>
          {tested && test.data ? <ConnectionResult test={test.data} /> : null}
          <div role="alert" className="empty:hidden">
            {tested && test.error ? <ErrorText error={test.error} /> : null}
          </div>
        </div>
      ) : null}
    </Section>
  )
}
