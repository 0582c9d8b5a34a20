'use client'

import { Button } from '@/components/ui/button'
import { Banner } from '@/components/ui/callout'
import { formatDuration } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { useLive } from './live'

/** Says, after 15 s of silence, that what is shown is old. */
export function OfflineBanner() {
  const { connection, silentSince, stream } = useLive()
  const now = useNow()
  if (connection !== 'offline' || silentSince === null) return null
  const silence = formatDuration(Math.round((now - silentSince) / 1000) * 1000)
  return (
    <Banner
      tone="bad"
      actions={
        <Button size="small" onClick={() => stream.retry()}>
          Try now
        </Button>
      }
    >
      {`Offline: no news from the console for ${silence}. Figures are as old as they say, and come back by themselves.`}
    </Banner>
  )
}
