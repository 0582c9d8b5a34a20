'use client'

import { ErrorTile } from '@/components/ui/error-tile'
import { PageHeader } from '@/components/ui/text'

/** A page of the console that failed; the shell around it stays. */
export default function ConsoleError({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <>
      <PageHeader title="This page could not be shown" />
      <ErrorTile error={error} onRetry={retry} />
    </>
  )
}
