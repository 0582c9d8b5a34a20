'use client'

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { useMay } from '@/components/auth/use-may'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { errorFacts } from '@/components/ui/error-facts'
import { formatDuration } from '@/components/ui/format'
import { useToast } from '@/components/ui/toast'
import type { RouterInputs } from '@/server/routers/_app'

type Maintenance = RouterInputs['database']['maintain']['what']

const WORDS: Record<Maintenance, { label: string; title: string }> = {
  analyze: { label: 'Analyse', title: 'Renews the statistics that plans are made from' },
  checkpoint: { label: 'Fold the log', title: 'Writes the write-ahead log back into the file' },
  optimize: { label: 'Optimise', title: 'Renews what SQLite itself thinks is out of date' },
}

/** Runs one kind of maintenance and says what it did. Nothing for who may not. */
export function MaintainButton({ what, size }: { what: Maintenance; size?: 'small' | 'normal' }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const toast = useToast()
  const { operate } = useMay('database')
  const button = useRef<HTMLButtonElement>(null)
  useAsked(what, () => button.current?.focus(), operate)
  const maintain = useMutation(trpc.database.maintain.mutationOptions())
  if (!operate) return null
  const { label, title } = WORDS[what]
  async function run() {
    try {
      const { message, milliseconds } = await maintain.mutateAsync({ what })
      toast({ text: `${message} It took ${formatDuration(milliseconds)}.`, tone: 'ok' })
    } catch (error) {
      toast({ text: `${label}: ${errorFacts(error).message}`, tone: 'bad' })
      return
    }
    await Promise.all([
      queries.invalidateQueries(trpc.database.tables.pathFilter()),
      queries.invalidateQueries(trpc.database.stats.pathFilter()),
    ])
  }
  return (
    <Button ref={button} size={size} title={title} onClick={run}>
      {label}
    </Button>
  )
}
