'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { useEffect, useRef } from 'react'
import { saysOf } from '@/components/auth/client'
import { useLiveEvent } from '@/components/live/live'
import { severityWords } from '@/components/security/severity-words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { formatCount } from '@/components/ui/format'
import { BellIcon } from '@/components/ui/icons'
import { Menu, type MenuItem } from '@/components/ui/menu'
import { useToast } from '@/components/ui/toast'
import { alertHref } from './words'

/** Alerts that nobody has put away, in the strip of every page; a new grave one is told by a toast. */
export function AlertBell() {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const router = useRouter()
  const toast = useToast()
  const unseen = useQuery(trpc.security.alerts.unseen.queryOptions())
  const { data: me } = useQuery(trpc.auth.me.queryOptions())
  useLiveEvent('audit', () => void queries.invalidateQueries(trpc.security.alerts.unseen.pathFilter()))

  const { data } = unseen
  // Since when alerts are new to this page; what was there when it came is no news.
  const newest = useRef<number | null>(null)
  useEffect(() => {
    if (!data) return
    const since = newest.current
    newest.current = Math.max(since ?? 0, ...data.latest.map(({ createdAt }) => createdAt))
    if (since === null) return
    const news = data.latest.filter(
      ({ createdAt, severity }) => createdAt > since && (severity === 'high' || severity === 'critical'),
    )
    const [first] = news
    if (!first) return
    const more = news.length > 1 ? ` And ${formatCount(news.length - 1, 'more alert')}.` : ''
    toast({
      text: `${severityWords[first.severity]}: ${first.title.replace(/\.$/, '')}.${more}`,
      tone: 'bad',
    })
  }, [data, toast])

  const count = data?.count ?? 0
  const markAll = async () => {
    const until = data?.latest[0]?.createdAt
    if (until === undefined) return
    try {
      await security.alerts.markSeen.mutate({ until })
    } catch (error) {
      toast({ text: saysOf(error), tone: 'bad' })
    }
    await queries.invalidateQueries(trpc.security.alerts.pathFilter())
  }
  const items: MenuItem[] = [
    { kind: 'heading', label: count === 0 ? 'No alert waits' : `${formatCount(count, 'alert')} not seen` },
    ...(data?.latest ?? []).map((alert) => ({
      label: (
        <span className="block max-w-72 truncate">
          {severityWords[alert.severity]}: {alert.title}
        </span>
      ),
      onSelect: () => router.push(alertHref(alert)),
    })),
    { kind: 'rule' },
    { label: 'All alerts', onSelect: () => router.push('/security/alerts') },
    ...(count > 0 && me?.permissions.includes('security:operate')
      ? [{ label: 'Mark all as seen', onSelect: () => void markAll() }]
      : []),
  ]
  return (
    <Menu
      label={`Alerts: ${count} not seen`}
      items={items}
      triggerClassName="relative flex h-8 items-center gap-1 rounded-control px-2 text-muted hover:bg-wash hover:text-text"
    >
      <BellIcon className={count > 0 ? 'text-bad' : undefined} />
      {count > 0 ? (
        <span className="font-medium text-bad tabular-nums">{count > 99 ? '99+' : count}</span>
      ) : null}
    </Menu>
  )
}
