'use client'

import { buttonClass } from '@/components/ui/button-class'
import { errorFacts, errorReference } from '@/components/ui/error-facts'
import './globals.css'

/**
 * The root layout itself failed: nothing of the console is left but this sheet. Its script comes with every page, hence
 * plain elements and not the tile, whose parts would come twice.
 */
export default function GlobalError({ error, retry }: { error: unknown; retry: () => void }) {
  const facts = errorFacts(error)
  return (
    <html lang="en" className="theme-system">
      <body>
        <title>Error · Holdfast</title>
        <main className="mx-auto w-full max-w-[48rem] px-4 py-12">
          <h1 className="mb-4 text-title font-medium">The console could not be shown</h1>
          <div role="alert" className="border-l-2 border-bad bg-surface px-4 py-3">
            <p className="font-medium">{facts.message}</p>
            <p className="text-muted">{facts.remedy ?? 'Try again; the log of the console says more.'}</p>
            <p className="mt-2 flex flex-wrap items-center gap-3 font-mono text-note text-muted">
              <button type="button" className={buttonClass('quiet', 'small')} onClick={retry}>
                Try again
              </button>
              {errorReference(facts)}
            </p>
          </div>
        </main>
      </body>
    </html>
  )
}
