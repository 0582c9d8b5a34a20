'use client'

import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog } from '@/components/ui/dialog'
import { RadioGroup } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { useToast } from '@/components/ui/toast'

const ways = {
  overlap: {
    label: 'With overlap',
    hint: 'The new key is published now and signs in some minutes. The old one verifies until its last token is over. Nobody notices.',
    effect: 'A new key is published now and signs in some minutes. Nobody has to do anything.',
    done: 'A new signing key is published.',
  },
  revoke: {
    label: 'Revoke the old keys at once',
    hint: 'For a key that may have leaked. Every access token of before is refused; browsers get a new one by themselves, programs must refresh or sign in.',
    effect:
      'Every access token of before is refused at once, also by applications that fetch the keys again. Browsers get a new one by themselves.',
    done: 'The old signing keys are revoked.',
  },
} as const

type Way = keyof typeof ways

/** Asks how to rotate, then steps up over it. */
export function RotateDialog({ onClose }: { onClose: () => void }) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const { ask, dialog } = useStepUp()
  const [way, setWay] = useState<Way>('overlap')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const input = { revokeOld: way === 'revoke' }
    ask({
      action: 'security.rotateSigningKeys',
      input,
      label: 'Rotate',
      title: 'Rotate the signing keys',
      variant: input.revokeOld ? 'danger' : 'primary',
      effect: ways[way].effect,
      run: async (grantId) => {
        await security.rotateSigningKeys.mutate(input, { context: { stepUp: grantId } })
        toast({ text: ways[way].done, tone: 'ok' })
        onClose()
        await queries.invalidateQueries(trpc.security.signingKeys.pathFilter())
      },
    })
  }
  return (
    <>
      <Dialog open onClose={onClose} title="Rotate now">
        <form method="post" onSubmit={submit} className="flex flex-col gap-4">
          <RadioGroup
            legend="How"
            name="rotate"
            value={way}
            onChange={setWay}
            options={(Object.keys(ways) as Way[]).map((value) => ({
              value,
              label: ways[value].label,
              hint: ways[value].hint,
            }))}
          />
          <FormActions onCancel={onClose}>
            <Button type="submit" variant="primary">
              Go on
            </Button>
          </FormActions>
        </form>
      </Dialog>
      {dialog}
    </>
  )
}
