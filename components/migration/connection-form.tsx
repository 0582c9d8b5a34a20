'use client'

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ServerFields } from '@/components/database/server-fields'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { Checkbox, Field, Input, PasswordInput } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import { ConnectionResult } from './connection-result'
import type { Connection } from './types'

export interface ConnectionDialogProps {
  open: boolean
  onClose: () => void
  /** The connection to change; absent: a new one. */
  connection?: Connection
  onSaved?: (connection: Connection) => void
}

/** Enters or changes a PostgreSQL server that migrations may write to. Its password never comes back. */
export function ConnectionDialog(props: ConnectionDialogProps) {
  return props.open ? <OpenConnectionDialog {...props} /> : null
}

function OpenConnectionDialog({ onClose, connection, onSaved }: ConnectionDialogProps) {
  const trpc = useTRPC()
  const client = useQueryClient()
  const create = useMutation(trpc.migration.createConnection.mutationOptions())
  const update = useMutation(trpc.migration.updateConnection.mutationOptions())
  const test = useMutation(trpc.migration.testConnection.mutationOptions())
  const [values, setValues] = useState({
    name: connection?.name ?? '',
    host: connection?.host ?? '',
    port: connection?.port ?? 5432,
    database: connection?.database ?? '',
    user: connection?.user ?? '',
    ssl: connection?.ssl ?? true,
  })
  const [password, setPassword] = useState('')
  const set = (change: Partial<typeof values>) => setValues((old) => ({ ...old, ...change }))
  // An empty field leaves the kept password as it is.
  const input = { ...values, ...(password !== '' || !connection ? { password } : {}) }
  const [save, saving] = useSingleFlight(async () => {
    const saved = connection
      ? await update.mutateAsync({ ...input, id: connection.id }).catch(() => null)
      : await create.mutateAsync(input).catch(() => null)
    if (!saved) return
    await client.invalidateQueries({ queryKey: trpc.migration.targets.queryKey() })
    onSaved?.(saved)
    onClose()
  })
  const tryIt = () =>
    test
      .mutateAsync({ ...input, name: values.name || 'test', ...(connection ? { id: connection.id } : {}) })
      .catch(() => {})
  const error = create.error ?? update.error ?? test.error
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={connection ? `Change ${connection.name}` : 'New connection'}
      dismissable={!saving}
      error={error ? <ErrorText error={error} /> : null}
    >
      <form
        method="post"
        className="flex flex-col gap-4"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          void save()
        }}
      >
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Name" hint="As it is shown in lists" required>
            <Input
              name="name"
              required
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              data-autofocus=""
              value={values.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          </Field>
          <ServerFields value={values} onChange={set} />
          <Field
            label="Password"
            hint={
              connection
                ? 'Leave it empty to keep the one that is stored.'
                : 'Stored encrypted, never shown again.'
            }
          >
            <PasswordInput
              name="password"
              autoComplete="off"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </Field>
        </div>
        <Checkbox
          name="ssl"
          label="Encrypt with TLS and verify the certificate"
          checked={values.ssl}
          onChange={(event) => set({ ssl: event.target.checked })}
        />
        {test.data ? <ConnectionResult test={test.data} /> : null}
        <div className="flex flex-wrap justify-end gap-2 pt-2">
          <Button onClick={tryIt}>Test</Button>
          <Button onClick={onClose} disabled={saving}>
            Cancel
          </Button>
          <Button type="submit" variant="primary" busy={saving}>
            Save connection
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
