import type { ReactNode } from 'react'
import { Wordmark } from '@/components/shell/wordmark'

/** The quiet sheet: name, hairline, and the one thing to do. */
export default function AuthLayout({ children }: { children: ReactNode }) {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-[24rem] flex-col px-6 pt-[14dvh] pb-12">
      <div className="border-b border-text pb-3">
        <Wordmark />
      </div>
      <div className="pt-6">{children}</div>
    </main>
  )
}
