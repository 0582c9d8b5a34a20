'use client'

import { useState } from 'react'
import { BackupCodes } from '@/components/auth/backup-codes'
import type { FactorState } from '@/components/auth/enrolment/use-enrolment'
import { useSession } from '@/components/auth/session'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog } from '@/components/ui/dialog'
import { Status } from '@/components/ui/status'
import { KeyValue } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { Factor, type FactorProps } from './factor'

/** With so few left it is time for new ones. */
const few = 3

/** How many backup codes are left, and new ones in their place. */
export function BackupCodesLeft({
  codes,
  canMake,
  ask,
  onChanged,
}: FactorProps & { codes: FactorState['backupCodes']; canMake: boolean }) {
  const client = useTRPCClient()
  const { session } = useSession()
  const [made, setMade] = useState<string[]>()
  const make = () =>
    ask({
      action: 'account.regenerateBackupCodes',
      input: {},
      title: 'Make new backup codes',
      label: 'Make new codes',
      effect: 'You get ten new codes. The ones you have stop working at once.',
      run: async (stepUp) => {
        const { backupCodes } = await client.account.regenerateBackupCodes.mutate({}, { context: { stepUp } })
        setMade(backupCodes)
        await onChanged()
      },
    })
  return (
    <Factor
      title="Backup codes"
      actions={canMake ? <Button onClick={make}>Make new codes</Button> : undefined}
    >
      {codes ? (
        <KeyValue
          items={[
            {
              label: 'Left',
              value:
                codes.remaining <= few ? (
                  <Status kind={codes.remaining === 0 ? 'bad' : 'warn'}>
                    {codes.remaining} of {codes.total}: make new ones
                  </Status>
                ) : (
                  `${codes.remaining} of ${codes.total}`
                ),
            },
            { label: 'Made', value: <Time at={codes.madeAt} /> },
          ]}
        />
      ) : (
        <p className="border-t border-border py-1.5 text-muted">
          {canMake
            ? 'None. Each one stands in for your second factor once.'
            : 'None. You get ten with your first second factor.'}
        </p>
      )}
      {made ? (
        <Dialog
          open
          onClose={() => setMade(undefined)}
          title="Save your backup codes"
          dismissable={false}
          wide
        >
          <BackupCodes codes={made} email={session.email} onSaved={() => setMade(undefined)} />
        </Dialog>
      ) : null}
    </Factor>
  )
}
