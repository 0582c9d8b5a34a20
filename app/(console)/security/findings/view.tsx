'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useLiveEvent } from '@/components/live/live'
import { SeverityMark } from '@/components/security/severity-mark'
import { severityWords } from '@/components/security/severity-words'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { FilterBar, FilterChoice } from '@/components/ui/filter-bar'
import { formatCount } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { PageHeader, Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { useDrawer, useUrlState } from '@/components/ui/url-state'
import { readFilter, severities, states } from './filter'
import { FindingDrawer } from './finding-drawer'
import { RuleList } from './rule-list'
import { type Finding, stateWords } from './words'

const columns: Column<Finding>[] = [
  {
    key: 'severity',
    header: 'Severity',
    cell: ({ severity }) => <SeverityMark severity={severity} />,
  },
  {
    key: 'title',
    header: 'Finding',
    rowHeader: true,
    className: 'min-w-64',
    cell: ({ title, summary, dryRun }) => (
      <>
        <span className="font-medium">{title}</span>
        {dryRun ? <span className="ml-2 text-muted">dry run</span> : null}
        <span className="block text-muted wrap-anywhere">{summary}</span>
      </>
    ),
  },
  {
    key: 'state',
    header: 'State',
    cell: ({ state }) => <Status kind={stateWords[state].kind}>{stateWords[state].word}</Status>,
  },
  { key: 'count', header: 'Events', numeric: true, cell: ({ count }) => count },
  { key: 'first', header: 'First', cell: ({ firstAt }) => <RelativeTime at={firstAt} /> },
  { key: 'last', header: 'Last', cell: ({ lastAt }) => <RelativeTime at={lastAt} /> },
]

export function FindingsView() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  useLiveEvent('audit', () => {
    queries.invalidateQueries(trpc.security.findings.pathFilter())
    queries.invalidateQueries(trpc.security.rules.list.queryFilter())
  })
  return (
    <>
      <PageHeader
        title="Findings"
        lead="What the threat rules found in the audit log, and what was done about it."
      />
      <TileBoundary what="Findings">
        <FindingList />
      </TileBoundary>
      <TileBoundary what="Rules">
        <RuleList />
      </TileBoundary>
    </>
  )
}

function FindingList() {
  const trpc = useTRPC()
  const { params, change } = useUrlState()
  const filter = readFilter(params)
  // A finding grows without an event of its own.
  const list = useQuery(trpc.security.findings.list.queryOptions(filter, { refetchInterval: 10_000 }))
  const rules = useQuery(trpc.security.rules.list.queryOptions())
  const drawer = useDrawer('finding')
  const set = (name: string) => (word: string) => change({ [name]: word || null, before: null }, 'replace')
  const named = (id: string) => rules.data?.find((rule) => rule.id === id)?.title ?? id
  const asked = params.get('state')
  const any = Boolean(asked || filter.severity || filter.rule)
  const clear = () => change({ state: null, severity: null, rule: null, before: null }, 'replace')
  return (
    <Section title="What was found" note="The latest first.">
      <FilterBar
        any={any}
        onClear={clear}
        count={list.data ? formatCount(list.data.findings.length, 'finding') : ''}
      >
        <FilterChoice
          label="State"
          value={filter.state === 'open' ? null : asked === 'all' ? 'all' : (filter.state ?? null)}
          all="Open"
          words={[...states.filter((state) => state !== 'open'), 'all']}
          nameOf={(word) => (word === 'all' ? 'All' : stateWords[word as Finding['state']].word)}
          onChange={set('state')}
          className="w-40"
        />
        <FilterChoice
          label="Severity"
          value={filter.severity ?? null}
          all="Any"
          words={severities}
          nameOf={(word) => severityWords[word]}
          onChange={set('severity')}
          className="w-32"
        />
        <FilterChoice
          label="Rule"
          value={filter.rule ?? null}
          all="Any"
          words={rules.data?.map(({ id }) => id) ?? []}
          nameOf={named}
          onChange={set('rule')}
          className="w-56"
        />
      </FilterBar>
      {list.isError ? <ErrorTile error={list.error} what="Findings" onRetry={() => list.refetch()} /> : null}
      {list.isPending ? <Skeleton className="h-40 w-full" label="Findings" /> : null}
      {list.data ? (
        <Table
          caption="Findings"
          columns={columns}
          rows={list.data.findings}
          rowKey={({ id }) => id}
          rowTone={({ severity, state }) =>
            state === 'open' && (severity === 'high' || severity === 'critical') ? 'bad' : undefined
          }
          onOpen={({ id }) => drawer.open(id)}
          selected={drawer.id ?? undefined}
          density="roomy"
          empty={
            any ? (
              <Empty
                kind="no-match"
                title="No finding fits the filter"
                action={<Button onClick={clear}>Show open findings</Button>}
              />
            ) : (
              <Empty kind="no-data" title="No finding is open">
                The rules below follow the audit log. What they find stands here.
              </Empty>
            )
          }
        />
      ) : null}
      <nav aria-label="Pages of findings" className="mt-3 flex gap-2">
        {filter.before ? (
          <Link href="/security/findings" className={buttonClass()}>
            Latest findings
          </Link>
        ) : null}
        {list.data?.next ? (
          <Link
            href={`/security/findings?${new URLSearchParams({ ...(asked ? { state: asked } : {}), before: list.data.next })}`}
            className={buttonClass()}
          >
            Older findings
          </Link>
        ) : null}
      </nav>
      <FindingDrawer id={drawer.id} onClose={drawer.close} />
    </Section>
  )
}
