'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatBytes } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'

interface Row {
  key: string
  name: string
  where: string
  sizeBytes: number
  modifiedAt: number
}

/** What can be migrated: the console's own store and the SQLite files of the allowed folders. */
export function SourcesSection() {
  const trpc = useTRPC()
  const sources = useQuery(trpc.migration.sources.queryOptions())
  const { data } = sources
  const rows: Row[] = data
    ? [
        ...(data.store
          ? [{ ...data.store, key: 'store', name: 'Console store', where: data.store.path }]
          : []),
        ...data.files.map((file) => ({ ...file, key: file.path, where: file.folder })),
      ]
    : []
  const problems = data?.folders.filter(({ problem }) => problem !== null) ?? []
  return (
    <Section title="Sources" note="SQLite files that this server may read; others can be uploaded.">
      {sources.error && !data ? (
        <ErrorTile error={sources.error} what="Sources" onRetry={() => sources.refetch()} />
      ) : data ? (
        <>
          <Table
            caption="SQLite sources"
            columns={[
              { key: 'name', header: 'Name', rowHeader: true, cell: ({ name }) => <Mono>{name}</Mono> },
              { key: 'where', header: 'Where', cell: ({ where }) => <Mono>{where}</Mono> },
              { key: 'size', header: 'Size', numeric: true, cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
              {
                key: 'modified',
                header: 'Modified',
                numeric: true,
                cell: ({ modifiedAt }) => <Time at={modifiedAt} />,
              },
            ]}
            rows={rows}
            rowKey={({ key }) => key}
            empty={
              data.folders.length === 0 ? (
                <Empty kind="not-enabled" title="No folder is open to migrations">
                  Set MIGRATION_SOURCE_DIRS to the folders whose SQLite files may be migrated, or upload a
                  file.
                </Empty>
              ) : (
                <Empty kind="no-data" title="No SQLite file in the folders" />
              )
            }
          />
          {problems.map(({ path, problem }) => (
            <p key={path} className="mt-2 text-warn">
              <Mono>{path}</Mono> cannot be read: {problem}.
            </p>
          ))}
          {data.cut ? (
            <p className="mt-2 text-muted">There are more files than are listed; name narrower folders.</p>
          ) : null}
        </>
      ) : (
        <Skeleton className="h-24 w-full" label="Looking for sources" />
      )}
    </Section>
  )
}
