'use client'

import type { FactorState } from '@/components/auth/enrolment/use-enrolment'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { KeyValue } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import { Factor, type FactorProps, lastEffect, type Removable } from './factor'

/** The app whose codes are asked for: one at a time. */
export function AuthenticatorApp({
  totp,
  keep,
  last,
  onSetUp,
  ask,
  onChanged,
}: FactorProps & Removable & { totp: FactorState['totp']; onSetUp: () => void }) {
  const client = useTRPCClient()
  const toast = useToast()
  if (!totp) {
    return (
      <Factor
        title="Authenticator app"
        actions={<Button onClick={onSetUp}>Set up an authenticator app</Button>}
      >
        <p className="border-t border-border py-1.5 text-muted">
          None. An app on your phone shows a new code every 30 seconds.
        </p>
      </Factor>
    )
  }
  const remove = () =>
    ask({
      action: 'account.removeTotp',
      input: {},
      title: 'Remove the authenticator app',
      label: 'Remove app',
      effect: `Its codes stop working. ${last ? lastEffect : 'You keep your passkeys.'}`,
      variant: 'danger',
      run: async (stepUp) => {
        await client.account.removeTotp.mutate({}, { context: { stepUp } })
        await onChanged()
        toast({ text: 'The authenticator app is removed.', tone: 'ok' })
      },
    })
  return (
    <Factor
      title="Authenticator app"
      actions={
        <>
          <Button aria-label="Replace the authenticator app" onClick={onSetUp}>
            Replace
          </Button>
          <Button
            aria-label="Remove the authenticator app"
            disabled={keep !== undefined}
            title={keep}
            onClick={remove}
          >
            Remove
          </Button>
        </>
      }
    >
      <KeyValue
        items={[
          { label: 'Since', value: <Time at={totp.since} /> },
          {
            label: 'Last used',
            value: totp.lastUsedAt === null ? 'never' : <RelativeTime at={totp.lastUsedAt} />,
          },
        ]}
      />
    </Factor>
  )
}
