'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { PasswordForm } from '@/components/auth/password-form'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Section } from '@/components/ui/text'
import { useToast } from '@/components/ui/toast'

/** A new password, by the current one. */
export function Password() {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const toast = useToast()
  const { data, error, refetch } = useQuery(trpc.auth.setUpState.queryOptions())
  const changed = async (ended: number) => {
    const also = ended === 0 ? '' : ` ${formatCount(ended, 'other session')} ended.`
    toast({ text: `Your password is changed.${also}`, tone: 'ok' })
    await queries.invalidateQueries(trpc.account.pathFilter())
  }
  return (
    <Section title="Password" note="With a new one all your other sessions end.">
      {data ? (
        <PasswordForm least={data.passwordLength.least} onChanged={changed} />
      ) : error ? (
        <ErrorTile error={error} what="Password" onRetry={() => refetch()} />
      ) : (
        <Skeleton className="h-56 w-full max-w-[28rem]" label="Loading the rules for passwords" />
      )}
    </Section>
  )
}
