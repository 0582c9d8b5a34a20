'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { Callout } from '@/components/ui/callout'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { Mono, PageHeader, Section } from '@/components/ui/text'
import type { RouterOutputs } from '@/server/routers/_app'

type Config = RouterOutputs['system']['config']
type Variable = Config['variables'][number]

/** What the console was told, by whom, and what of it is weak. */
export function ConfigurationView() {
  const trpc = useTRPC()
  const { data, error, refetch } = useQuery(trpc.system.config.queryOptions())
  return (
    <>
      <PageHeader
        title="Configuration"
        lead={
          <>
            What this console was started with. It is changed in the environment or in <Mono>.env</Mono>, and
            takes effect at the next start.
          </>
        }
      />
      {error && !data ? (
        <ErrorTile error={error} what="The configuration" onRetry={() => void refetch()} />
      ) : data ? (
        <>
          <Warnings warnings={data.warnings} />
          <Section title="Effective values" note="secrets are shown as fingerprints">
            <Variables variables={data.variables} />
          </Section>
        </>
      ) : (
        <Skeleton className="h-96 w-full" label="Reading the configuration" />
      )}
    </>
  )
}

function Warnings({ warnings }: Pick<Config, 'warnings'>) {
  if (warnings.length === 0) {
    return (
      <Callout tone="ok" title="Nothing in it is weak or contradicts itself">
        <Mono>npm run doctor</Mono> also looks at the machine, the database and Redis.
      </Callout>
    )
  }
  return (
    <ul className="grid gap-3" aria-label="What is weak or contradictory">
      {warnings.map(({ names, detail, remedy }) => (
        <li key={`${names.join()} ${detail}`}>
          <Callout tone="warn" title={detail}>
            {remedy} <span className="sr-only">Variables: </span>
            {names.map((name, at) => (
              <span key={name}>
                {at > 0 ? ', ' : null}
                <Mono>{name}</Mono>
              </span>
            ))}
          </Callout>
        </li>
      ))}
    </ul>
  )
}

function Variables({ variables }: Pick<Config, 'variables'>) {
  return (
    <Table<Variable>
      caption="Variables, their values and where each came from"
      columns={[
        { key: 'name', header: 'Variable', rowHeader: true, cell: ({ name }) => <Mono>{name}</Mono> },
        {
          key: 'value',
          header: 'Value',
          cell: ({ value }) =>
            value === null ? <span className="text-muted">not set</span> : <Mono>{value}</Mono>,
        },
        { key: 'source', header: 'Source', cell: ({ source }) => source },
        {
          key: 'about',
          header: 'What it does',
          className: 'min-w-60',
          cell: ({ about }) => <span className="text-muted">{about}</span>,
        },
      ]}
      rows={variables}
      rowKey={({ name }) => name}
    />
  )
}
