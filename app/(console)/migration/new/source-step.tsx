'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { SourceRef } from '@/components/migration/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { RadioGroup } from '@/components/ui/field'
import { formatBytes } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { type UploadedFile, UploadField } from './upload-field'

interface StepProps {
  value: SourceRef | undefined
  onChange: (source: SourceRef) => void
}

const keyOf = (source: SourceRef | undefined): string =>
  !source ? '' : source.kind === 'folder' ? `folder:${source.path}` : source.kind

/** Own store, a file of the allowed folders, or one from this computer. */
export function SourceStep({ value, onChange }: StepProps) {
  const trpc = useTRPC()
  const sources = useQuery(trpc.migration.sources.queryOptions())
  const [uploaded, setUploaded] = useState<UploadedFile>()
  const { data } = sources
  if (sources.error && !data) {
    return (
      <Section title="Source">
        <ErrorTile error={sources.error} what="Sources" onRetry={() => sources.refetch()} />
      </Section>
    )
  }
  if (!data) {
    return (
      <Section title="Source">
        <Skeleton className="h-40 w-full" label="Looking for sources" />
      </Section>
    )
  }
  const options = [
    ...(data.store
      ? [
          {
            value: 'store',
            label: 'The console’s own store',
            hint: (
              <>
                <Mono>{data.store.path}</Mono> · {formatBytes(data.store.sizeBytes)}. Can be switched over
                afterwards, without a restart.
              </>
            ),
          },
        ]
      : []),
    ...data.files.map((file) => ({
      value: `folder:${file.path}`,
      label: <Mono>{file.name}</Mono>,
      hint: (
        <>
          <Mono>{file.folder}</Mono> · {formatBytes(file.sizeBytes)} · changed <Time at={file.modifiedAt} />
        </>
      ),
    })),
    ...(uploaded
      ? [
          {
            value: 'upload',
            label: <Mono>{uploaded.name}</Mono>,
            hint: `Uploaded · ${formatBytes(uploaded.sizeBytes)} · deleted after the run`,
          },
        ]
      : []),
  ]
  return (
    <Section title="Source" note="A SQLite file. It is only read.">
      {options.length > 0 ? (
        <RadioGroup
          legend={<span className="sr-only">Source</span>}
          name="source"
          value={keyOf(value)}
          onChange={(key) =>
            onChange(
              key === 'store'
                ? { kind: 'store' }
                : key === 'upload' && uploaded
                  ? { kind: 'upload', id: uploaded.id }
                  : { kind: 'folder', path: key.slice('folder:'.length) },
            )
          }
          options={options}
        />
      ) : (
        <Empty kind="no-data" title="No source on this server">
          Upload a file, or set MIGRATION_SOURCE_DIRS to folders of the server.
        </Empty>
      )}
      <UploadField
        onUploaded={(file) => {
          setUploaded(file)
          onChange({ kind: 'upload', id: file.id })
        }}
      />
    </Section>
  )
}
