'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { methodWords } from '@/components/auth/methods'
import { NameDialog } from '@/components/auth/name-dialog'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { KeyValue, Mono, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'

/** Who is signed in; the name is one's own to change. */
export function You() {
  const trpc = useTRPC()
  const client = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const [naming, setNaming] = useState(false)
  useAsked('name', () => setNaming(true))
  const { data: me, error, refetch } = useQuery(trpc.auth.me.queryOptions())
  if (!me) {
    return (
      <Section title="You">
        {error ? (
          <ErrorTile error={error} what="You" onRetry={() => refetch()} />
        ) : (
          <Skeleton className="h-40 w-full" label="Loading who you are" />
        )}
      </Section>
    )
  }
  const rename = async (name: string) => {
    await client.account.setName.mutate({ name })
    await queries.invalidateQueries(trpc.auth.me.queryFilter())
    toast({ text: 'Your name is changed.', tone: 'ok' })
  }
  return (
    <Section title="You" actions={<Button onClick={() => setNaming(true)}>Change name</Button>}>
      <KeyValue
        items={[
          { label: 'Name', value: me.name },
          { label: 'E-mail', value: <Mono>{me.email}</Mono> },
          { label: 'Role', value: me.role },
          { label: 'Signed in by', value: methodWords(me.methods) },
          { label: 'This session ends', value: <Time at={me.expiresAt} withZone /> },
        ]}
      />
      <NameDialog
        open={naming}
        onClose={() => setNaming(false)}
        title="Change your name"
        name={me.name}
        autoComplete="name"
        onName={rename}
      />
    </Section>
  )
}
