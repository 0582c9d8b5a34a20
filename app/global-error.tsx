'use client'

import { ErrorTile } from '@/components/ui/error-tile'
import './globals.css'

/** The root layout itself failed: nothing of the console is left but this sheet. */
export default function GlobalError({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <html lang="en" className="theme-system">
      <body>
        <title>Error · Holdfast</title>
        <main className="mx-auto w-full max-w-[48rem] px-4 py-12">
          <h1 className="mb-4 text-title font-medium">The console could not be shown</h1>
          <ErrorTile error={error} onRetry={retry} />
        </main>
      </body>
    </html>
  )
}
