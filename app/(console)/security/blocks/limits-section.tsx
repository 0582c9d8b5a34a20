'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatNumber } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { type Column, Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { durationWords, type LimitsState, layerWords, rateWords } from './words'

interface LimitedRow {
  key: string
  who: string
  layer: string
  what: string
  hits: number | null
  until: number
}

/** Who is limited now, and by which limits. */
export function LimitsSection() {
  const state = useQuery(useTRPC().security.limits.state.queryOptions())
  const { data } = state
  if (state.isPending) return <Skeleton className="mt-8 h-64 w-full" label="Reading the limits" />
  if (!data) return <ErrorTile error={state.error} what="Limits" onRetry={() => state.refetch()} />
  return (
    <>
      <Section title="Limited now">
        <Table
          caption="Limited now"
          columns={limitedColumns}
          rows={limitedRows(data)}
          rowKey={({ key }) => key}
          empty={<Empty kind="no-data" title="Nobody is limited now" />}
        />
      </Section>
      <Section
        title="Limits in force"
        note={
          data.counters === 'redis'
            ? 'Counted in Redis for all consoles, and in memory while that is away'
            : 'Counted by each console for itself: there is no Redis'
        }
      >
        <Table
          caption="Limits in force"
          columns={ruleColumns}
          rows={rulesOf(data)}
          rowKey={({ key }) => key}
        />
      </Section>
    </>
  )
}

function limitedRows({ limited, locked }: LimitsState): LimitedRow[] {
  return [
    ...locked.map(({ account, address, reason, until }) => ({
      ...{ key: `locked ${account} ${address}`, who: account, layer: 'Locked account', hits: null, until },
      what: [reason, address && `from ${address}`].filter(Boolean).join(', '),
    })),
    ...limited.map(({ layer, who, endpoint, limit, hits, until }) => ({
      ...{ key: `${layer} ${endpoint} ${who}`, who, layer: layerWords[layer], hits, until },
      what: `more than ${limit}, the last for ${endpoint}`,
    })),
  ]
}

const limitedColumns: Column<LimitedRow>[] = [
  {
    key: 'who',
    header: 'Who',
    rowHeader: true,
    cell: ({ who }) => <span className="font-mono wrap-anywhere">{who}</span>,
  },
  {
    key: 'layer',
    header: 'Layer',
    cell: ({ layer }) => <span className="whitespace-nowrap">{layer}</span>,
  },
  { key: 'what', header: 'What for', className: 'min-w-48', cell: ({ what }) => what },
  {
    key: 'hits',
    header: 'Refused',
    numeric: true,
    cell: ({ hits }) => (hits === null ? '' : formatNumber(hits)),
  },
  { key: 'until', header: 'Until', numeric: true, cell: ({ until }) => <Time at={until} /> },
]

interface Rule {
  key: string
  layer: string
  limit: string
  variable: string
}

function rulesOf({ address, user, endpoints, account, blockAfter, blockDurationsMs }: LimitsState): Rule[] {
  return [
    {
      key: 'address',
      layer: 'Calls from an address',
      limit: rateWords(address),
      variable: 'RATE_LIMIT_ADDRESS',
    },
    { key: 'user', layer: 'Calls of a user', limit: rateWords(user), variable: 'RATE_LIMIT_USER' },
    ...endpoints.map(({ endpoint, rate }) => ({
      ...{ key: endpoint, layer: `Calls of ${endpoint}`, limit: rateWords(rate) },
      variable: 'RATE_LIMIT_ENDPOINTS',
    })),
    {
      ...{
        key: 'account',
        layer: 'Failed sign-ins of an account from an address',
        limit: rateWords(account),
      },
      variable: 'MAX_LOGIN_ATTEMPTS, LOGIN_WINDOW_MS',
    },
    {
      ...{ key: 'lock', layer: 'Lock of an account, at the longest' },
      ...{ limit: durationWords(account.blockMs), variable: 'LOGIN_BLOCK_DURATION' },
    },
    {
      ...{ key: 'block', layer: 'Refused calls of an address until it is blocked' },
      ...{ limit: rateWords(blockAfter), variable: 'BLOCK_AFTER' },
    },
    {
      ...{ key: 'durations', layer: 'Blocks of an address, one after the other' },
      ...{ limit: blockDurationsMs.map(durationWords).join(', '), variable: 'BLOCK_DURATIONS' },
    },
  ]
}

const ruleColumns: Column<Rule>[] = [
  { key: 'layer', header: 'What', rowHeader: true, className: 'min-w-48', cell: ({ layer }) => layer },
  {
    key: 'limit',
    header: 'Limit',
    cell: ({ limit }) => <span className="whitespace-nowrap">{limit}</span>,
  },
  { key: 'variable', header: 'Set by', cell: ({ variable }) => <Mono>{variable}</Mono> },
]
