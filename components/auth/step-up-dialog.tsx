'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { ConfirmName, nameTyped } from '@/components/ui/confirm-name'
import { Dialog } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { Skeleton } from '@/components/ui/skeleton'
import { Link } from '../ui/link'
import { codeOf } from './client'
import { FactorForm, type Proof } from './factor-form'
import { localTimes, shareTimes } from './refresh'
import type { Asked } from './step-up'

/** Asks for a fresh second factor over the page, then does what was asked; a failure stays here, to be tried again. */
export function StepUpDialog({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  const client = useTRPCClient()
  const [working, setWorking] = useState(false)
  const [typed, setTyped] = useState('')
  // Proved, but what was asked failed: the grant is good for another try, where a code would not be.
  const [held, setHeld] = useState<{ grantId: string; error: unknown }>()
  const options = useQuery({
    queryKey: ['step-up'],
    queryFn: () => client.auth.stepUpOptions.mutate({}),
    // A passkey's answer fits the question that was asked last.
    ...{ staleTime: 0, gcTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false },
  })
  const factors = options.data?.factors.filter((factor) => factor !== 'backup-code')
  const { action, input, confirmName, label, variant = 'primary' } = asked

  async function act(grantId: string) {
    setWorking(true)
    try {
      await asked.run(grantId)
      onClose()
    } catch (error) {
      if (codeOf(error) !== 'STEP_UP_REQUIRED') return setHeld({ grantId, error })
      setHeld(undefined)
      void options.refetch()
      throw error
    } finally {
      setWorking(false)
    }
  }
  async function prove(proof: Proof) {
    setWorking(true)
    try {
      const answer = await client.auth.stepUp.mutate({ action, input, ...proof })
      if ('session' in answer) shareTimes(localTimes(answer.session, answer.now))
      await act(answer.grantId)
    } catch (error) {
      if ('passkey' in proof) void options.refetch()
      throw error
    } finally {
      setWorking(false)
    }
  }
  const title = asked.title ?? 'Confirm that it is you'
  const effect = <div className="text-muted">{asked.effect}</div>

  if (held) {
    return (
      <Dialog
        open
        onClose={onClose}
        title={title}
        dismissable={!working}
        error={<ErrorText error={held.error} />}
        actions={
          <>
            <Button onClick={onClose} disabled={working}>
              Cancel
            </Button>
            <Button variant={variant} onClick={() => act(held.grantId).catch(() => {})}>
              {label}
            </Button>
          </>
        }
      >
        {effect}
      </Dialog>
    )
  }
  const missing = factors?.length === 0 || codeOf(options.error) === 'FACTOR_REQUIRED'
  if (missing || options.error) {
    return (
      <Dialog
        open
        onClose={onClose}
        title={missing ? 'This takes a second factor' : title}
        error={missing ? null : <ErrorText error={options.error} />}
        actions={
          <>
            <Button onClick={onClose}>Cancel</Button>
            {missing ? (
              <Link href="/account#factors" onClick={onClose} className={buttonClass('primary')}>
                Set one up
              </Link>
            ) : (
              <Button variant="primary" onClick={() => options.refetch()}>
                Try again
              </Button>
            )}
          </>
        }
      >
        {missing ? (
          <p className="text-muted">
            {label}: that is only done by who proves it with an authenticator app or a passkey. You have
            neither yet.
          </p>
        ) : (
          effect
        )}
      </Dialog>
    )
  }
  return (
    <Dialog open onClose={onClose} title={title} dismissable={!working}>
      {effect}
      {options.data && factors ? (
        <FactorForm
          factors={factors}
          passkey={options.data.passkey}
          label={label}
          variant={variant}
          ready={nameTyped(confirmName, typed)}
          onProof={prove}
          onCancel={onClose}
        >
          {confirmName ? <ConfirmName name={confirmName} typed={typed} onType={setTyped} /> : null}
        </FactorForm>
      ) : (
        <Skeleton className="h-32 w-full" label="Loading your factors" />
      )}
    </Dialog>
  )
}
