'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ShownOnce } from '@/components/security/shown-once'
import { useMayManage } from '@/components/security/use-may-manage'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { TileBoundary } from '@/components/ui/error-tile'
import { Mono, PageHeader } from '@/components/ui/text'
import { KeyList } from './key-list'
import { type MadeKey, MakeKeyDialog } from './make-key-dialog'

/** Keys by which programs use the console, and their only place to be made. */
export function ApiKeysView() {
  const { data: me } = useQuery(useTRPC().auth.me.queryOptions())
  const manage = useMayManage()
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<MadeKey>()
  useAsked('make', () => setMaking(true), manage)
  return (
    <>
      <PageHeader
        title="API keys"
        lead="For programs that use the console. Each holds its own permissions, and ends by itself."
        actions={
          manage ? (
            <Button variant="primary" onClick={() => setMaking(true)}>
              Make a key
            </Button>
          ) : null
        }
      />
      {me && !manage ? (
        <Empty kind="no-permission" title="Only an admin can see and make API keys">
          Your role is {me.role}. Ask an admin for a key.
        </Empty>
      ) : (
        <TileBoundary what="API keys">
          <KeyList />
        </TileBoundary>
      )}
      {making ? (
        <MakeKeyDialog
          held={me?.permissions ?? []}
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMaking(false)
            setMade(key)
          }}
        />
      ) : null}
      {made ? (
        <ShownOnce
          title={`API key ${made.name}`}
          secret={made.key}
          copyLabel="Copy key"
          expiresAt={made.expiresAt}
          onClose={() => setMade(undefined)}
        >
          The program sends it as <Mono>Authorization: Bearer hf_…</Mono>. Keep it where only the program
          reads it.
        </ShownOnce>
      ) : null}
    </>
  )
}
