import { MaintainButton } from '@/components/database/maintain-button'
import type { Stats } from '@/components/database/types'
import { Empty } from '@/components/ui/empty'
import { formatBytes, formatNumber, formatShare } from '@/components/ui/format'
import { KeyValue, type KeyValueItem, Section } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'

/** What the database tells of itself: the server, or SQLite's file with what can be done to it. */
export function Facts({ stats }: { stats: Stats }) {
  const { sqlite, postgres } = stats
  return (
    <Section
      title={stats.dialect === 'sqlite' ? 'File' : 'Server'}
      note={
        <>
          read <RelativeTime at={stats.at} />
        </>
      }
      actions={
        sqlite ? (
          <>
            <MaintainButton what="checkpoint" size="small" />
            <MaintainButton what="optimize" size="small" />
          </>
        ) : undefined
      }
    >
      {sqlite ? <KeyValue items={fileFacts(sqlite)} /> : null}
      {postgres ? <KeyValue items={serverFacts(postgres)} /> : null}
      {stats.reachable ? null : (
        <Empty kind="no-data" title="The database did not answer">
          What Holdfast counts itself is shown all the same.
        </Empty>
      )}
    </Section>
  )
}

const SYNCHRONOUS = ['OFF', 'NORMAL', 'FULL', 'EXTRA']

function fileFacts(sqlite: NonNullable<Stats['sqlite']>): KeyValueItem[] {
  return [
    { label: 'File', value: formatBytes(sqlite.fileBytes) },
    { label: 'Write-ahead log', value: formatBytes(sqlite.walBytes) },
    {
      label: 'Pages',
      value: `${formatNumber(sqlite.pages)} of ${formatBytes(sqlite.pageSize)}, ${formatNumber(sqlite.freePages)} free`,
    },
    { label: 'Journal · synchronous', value: `${sqlite.journalMode} · ${SYNCHRONOUS[sqlite.synchronous]}` },
    { label: 'Foreign keys', value: sqlite.foreignKeys ? 'checked' : 'not checked' },
    {
      label: 'Writer',
      value: `${sqlite.writing ? 'at work' : 'free'}, ${formatNumber(sqlite.waiting)} waiting`,
    },
    { label: 'Writes that had their turn', value: formatNumber(sqlite.writes) },
    {
      label: 'Reads, short · in a thread of their own',
      value: `${formatNumber(sqlite.inlineReads)} · ${formatNumber(sqlite.threadReads)}`,
    },
  ]
}

function serverFacts(postgres: NonNullable<Stats['postgres']>): KeyValueItem[] {
  return [
    { label: 'Role', value: postgres.inRecovery ? 'replica' : 'primary' },
    { label: 'Running since', value: <Time at={postgres.startedAt} /> },
    { label: 'Database', value: formatBytes(postgres.sizeBytes) },
    {
      label: 'Connections of all clients',
      value: `${formatNumber(postgres.connections)} of ${formatNumber(postgres.maxConnections)}`,
    },
    { label: 'Cache hit ratio', value: formatShare(postgres.cacheHitRatio) },
    {
      label: 'Commits · rollbacks',
      value: `${formatNumber(postgres.commits)} · ${formatNumber(postgres.rollbacks)}`,
    },
    { label: 'Deadlocks', value: formatNumber(postgres.deadlocks) },
  ]
}
