'use client'

import { useState } from 'react'
import type { FactorState } from '@/components/auth/enrolment/use-enrolment'
import { NameDialog } from '@/components/auth/name-dialog'
import { usePasskeySupport } from '@/components/auth/passkey'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { type Column, Table } from '@/components/ui/table'
import { RelativeTime, Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import { Factor, type FactorProps, lastEffect, type Removable } from './factor'

type Passkey = FactorState['passkeys'][number]

/** Passkeys: as many as one likes, each with a name. */
export function Passkeys({
  passkeys,
  keep,
  last,
  onAdd,
  ask,
  onChanged,
}: FactorProps & Removable & { passkeys: Passkey[]; onAdd: () => void }) {
  const client = useTRPCClient()
  const toast = useToast()
  const supported = usePasskeySupport()
  const [renaming, setRenaming] = useState<Passkey>()
  const remove = ({ id, name }: Passkey) =>
    ask({
      action: 'account.removePasskey',
      input: { id },
      title: 'Remove the passkey',
      label: 'Remove passkey',
      effect: `${name} stops working here. ${last ? lastEffect : 'Delete it on its device too, or the browser goes on offering it.'}`,
      variant: 'danger',
      run: async (stepUp) => {
        await client.account.removePasskey.mutate({ id }, { context: { stepUp } })
        await onChanged()
        toast({ text: `The passkey ${name} is removed.`, tone: 'ok' })
      },
    })
  const columns: Column<Passkey>[] = [
    { key: 'name', header: 'Name', rowHeader: true, cell: ({ name }) => name },
    {
      key: 'kept',
      header: 'Kept',
      className: 'whitespace-nowrap',
      cell: ({ backedUp }) => (backedUp ? 'by a service, on all its devices' : 'on one device'),
    },
    {
      key: 'made',
      header: 'Made',
      className: 'whitespace-nowrap',
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    {
      key: 'used',
      header: 'Last used',
      className: 'whitespace-nowrap',
      cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : <RelativeTime at={lastUsedAt} />),
    },
    {
      key: 'change',
      header: <span className="sr-only">Change</span>,
      className: 'whitespace-nowrap text-right',
      cell: (passkey) => (
        <span className="inline-flex gap-2">
          <Button
            size="small"
            aria-label={`Rename the passkey ${passkey.name}`}
            onClick={() => setRenaming(passkey)}
          >
            Rename
          </Button>
          <Button
            size="small"
            aria-label={`Remove the passkey ${passkey.name}`}
            disabled={keep !== undefined}
            title={keep}
            onClick={() => remove(passkey)}
          >
            Remove
          </Button>
        </span>
      ),
    },
  ]
  return (
    <Factor
      title="Passkeys"
      actions={
        <Button
          disabled={!supported}
          title={
            supported ? undefined : 'This browser withholds passkeys here: they take https, or localhost'
          }
          onClick={onAdd}
        >
          Add a passkey
        </Button>
      }
    >
      {passkeys.length > 0 ? (
        <Table
          caption="Your passkeys"
          density="roomy"
          columns={columns}
          rows={passkeys}
          rowKey={({ id }) => id}
        />
      ) : (
        <p className="border-t border-border py-1.5 text-muted">
          None. A fingerprint, face, PIN or security key, which also signs you in without the password.
        </p>
      )}
      <NameDialog
        open={renaming !== undefined}
        onClose={() => setRenaming(undefined)}
        title="Rename the passkey"
        name={renaming?.name ?? ''}
        onName={async (name) => {
          if (!renaming) return
          await client.account.renamePasskey.mutate({ id: renaming.id, name })
          await onChanged()
        }}
      />
    </Factor>
  )
}
