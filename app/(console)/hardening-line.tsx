'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { HARDENING_COOKIE, rememberPreference } from '@/components/shell/preferences'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { useToast } from '@/components/ui/toast'

/**
 * While something of the console is not hardened, one line that leads there. Put away, it stays so in this browser
 * until something else is open.
 */
export function HardeningLine({ putAway }: { putAway: readonly string[] }) {
  const { data } = useQuery(useTRPC().system.hardening.queryOptions())
  const toast = useToast()
  const [away, setAway] = useState(putAway)
  const open = (data?.lines ?? []).filter(({ done }) => !done)
  const [next] = open
  if (!data || !next || open.every(({ id }) => away.includes(id))) return null
  const put = (ids: readonly string[]) => {
    rememberPreference(HARDENING_COOKIE, ids.join('.'))
    setAway(ids)
  }
  const hide = () => {
    put(open.map(({ id }) => id))
    toast({ text: 'The line on hardening is put away.', undo: () => put(away) })
  }
  return (
    <section
      aria-label="Hardening"
      className="mb-6 flex flex-wrap items-center gap-x-4 gap-y-1 border-y border-border py-2"
    >
      <p className="min-w-0 flex-1 basis-64">
        <Link href="/system/hardening" className={plainLink}>
          {data.done} of {data.lines.length} hardened
        </Link>
        <span className="text-muted">. Next: {next.title}.</span>
      </p>
      <Button variant="plain" size="small" onClick={hide}>
        Put away
      </Button>
    </section>
  )
}
