'use client'

import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { ErrorText } from '@/components/ui/error-text'
import { Spinner } from '@/components/ui/icons'

/** The token of the link, wherever it stands; out of the query at once, which would go into logs and Referer. */
function takeToken(): string | null {
  const query = new URLSearchParams(location.search).get('token')
  if (query) history.replaceState(null, '', `${location.pathname}#${query}`)
  return query ?? (location.hash.slice(1) || null)
}

/** Takes the token out of the address bar, and of what the browser restores, once it is used. */
export function forgetToken(): void {
  history.replaceState(null, '', location.pathname)
}

type Checked<Facts> =
  | { kind: 'checking' }
  | { kind: 'missing' }
  | { kind: 'failed'; error: unknown }
  | { kind: 'checked'; token: string; facts: Facts }

/**
 * Reads the token behind # and asks `check` what it is good for; again when another link is opened in the same
 * tab. `check` must stay the same function.
 */
export function useLinkToken<Facts>(check: (token: string) => Promise<Facts>) {
  const [link, setLink] = useState<Checked<Facts>>({ kind: 'checking' })
  const recheck = useCallback(async () => {
    const token = takeToken()
    if (!token) return setLink({ kind: 'missing' })
    setLink({ kind: 'checking' })
    try {
      setLink({ kind: 'checked', token, facts: await check(token) })
    } catch (error) {
      setLink({ kind: 'failed', error })
    }
  }, [check])
  useEffect(() => {
    void recheck()
    addEventListener('hashchange', recheck)
    return () => removeEventListener('hashchange', recheck)
  }, [recheck])
  return { link, recheck }
}

export function Checking() {
  return (
    <p role="status" className="flex items-center gap-2 text-muted">
      <Spinner />
      Checking the link…
    </p>
  )
}

export function CheckFailed({ error, onRetry }: { error: unknown; onRetry: () => unknown }) {
  return (
    <Remark title="The link could not be checked" action={<Button onClick={onRetry}>Try again</Button>}>
      <ErrorText error={error} />
    </Remark>
  )
}

/** A page that says how things stand, and the one way on. */
export function Remark({
  title,
  children,
  action,
}: {
  title: string
  children: ReactNode
  action?: ReactNode
}) {
  return (
    <>
      <h1 className="text-title font-medium">{title}</h1>
      <div className="mt-1 mb-6 text-muted">{children}</div>
      {action}
    </>
  )
}

export function SignInLink() {
  return (
    <a href="/sign-in" className={buttonClass('primary')}>
      Go to sign-in
    </a>
  )
}
