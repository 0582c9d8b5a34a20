'use client'

import { ErrorTile } from '@/components/ui/error-tile'

/** A page that failed as a whole. Tiles that fail alone stay inside their own boundary. */
export default function PageError({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <div className="mx-auto w-full max-w-[48rem] px-4 py-12">
      <h1 className="mb-4 text-title font-medium">This page could not be shown</h1>
      <ErrorTile error={error} onRetry={retry} />
    </div>
  )
}
