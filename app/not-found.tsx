import type { Metadata } from 'next'
import { Wordmark } from '@/components/shell/wordmark'
import { buttonClass } from '@/components/ui/button-class'

export const metadata: Metadata = { title: 'Not found' }

/** No page has this address. */
export default function NotFound() {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-[24rem] flex-col px-6 pt-[14dvh] pb-12">
      <div className="border-b border-text pb-3">
        <Wordmark />
      </div>
      <h1 className="pt-6 text-title font-medium">No page has this address</h1>
      <p className="mt-1 text-muted">It may have been typed wrong, or what it showed is gone.</p>
      <p className="mt-6">
        {/* A plain link: what this page needs, every page loads. */}
        <a href="/" className={buttonClass()}>
          Go to the overview
        </a>
      </p>
    </main>
  )
}
