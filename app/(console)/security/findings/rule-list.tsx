'use client'

import { useQuery } from '@tanstack/react-query'
import { SeverityMark } from '@/components/security/severity-mark'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { useDrawer } from '@/components/ui/url-state'
import { RuleDrawer } from './rule-drawer'
import { type Rule, responseWords, unitWord } from './words'

const columns: Column<Rule>[] = [
  {
    key: 'title',
    header: 'Rule',
    rowHeader: true,
    className: 'min-w-64',
    cell: ({ title, parameters, params }) => (
      <>
        <span className="font-medium">{title}</span>
        <span className="block text-muted">
          {parameters
            .map(({ name, label, unit }) => `${label}: ${params[name]} ${unitWord(params[name], unit)}`)
            .join(' · ')}
        </span>
      </>
    ),
  },
  {
    key: 'severity',
    header: 'Severity',
    cell: ({ severity }) => <SeverityMark severity={severity} />,
  },
  { key: 'state', header: 'State', cell: (rule) => <RuleState rule={rule} /> },
  { key: 'response', header: 'What it does', cell: ({ response }) => responseWords[response] },
  { key: 'findings', header: 'Findings', numeric: true, cell: ({ findings }) => findings },
  { key: 'last', header: 'Last', cell: ({ lastAt }) => <RelativeTime at={lastAt} /> },
]

function RuleState({ rule: { enabled, dryRun, unavailable } }: { rule: Rule }) {
  if (unavailable) return <Status kind="off">Unavailable</Status>
  if (!enabled) return <Status kind="off">Off</Status>
  return dryRun ? <Status kind="busy">Dry run</Status> : <Status kind="ok">On</Status>
}

/** Every rule with its parameters; a row opens where they are set and tried. */
export function RuleList() {
  const rules = useQuery(useTRPC().security.rules.list.queryOptions())
  const drawer = useDrawer('of')
  return (
    <Section title="Rules" note="What they look for in the audit log.">
      {rules.data ? (
        <Table
          caption="Rules"
          columns={columns}
          rows={rules.data}
          rowKey={({ id }) => id}
          onOpen={({ id }) => drawer.open(id)}
          selected={drawer.id ?? undefined}
          density="roomy"
        />
      ) : rules.error ? (
        <ErrorTile error={rules.error} what="Rules" onRetry={() => rules.refetch()} />
      ) : (
        <Skeleton className="h-96 w-full" label="Rules" />
      )}
      <RuleDrawer
        id={drawer.id}
        rule={rules.data?.find(({ id }) => id === drawer.id)}
        onClose={drawer.close}
      />
    </Section>
  )
}
