'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { StepUpDialog } from '@/components/auth/step-up-dialog'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Callout } from '@/components/ui/callout'
import { Dialog } from '@/components/ui/dialog'
import { Field, RadioGroup, Select } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { formatCount } from '@/components/ui/format'
import { useToast } from '@/components/ui/toast'
import { clearWords } from './clear-words'
import type { ClearTarget } from './key-types'

/**
 * Clears the cache: what, then the words typed and a fresh factor. A namespace as `target` is not asked for again.
 * How many keys were deleted is told in a message.
 */
export function ClearDialog({ target, onClose }: { target: ClearTarget; onClose: () => void }) {
  const trpc = useTRPC()
  const { cache } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const stats = useQuery(trpc.cache.stats.queryOptions())
  const [chosen, setChosen] = useState<ClearTarget | undefined>(
    target.scope === 'namespace' ? target : undefined,
  )
  const shared = stats.data ? stats.data.mode !== 'memory' : true
  const names = stats.data?.namespaces.map(({ name }) => name) ?? []
  if (!chosen) return <Choice {...{ target, shared, names, onClose }} onChoose={setChosen} />

  const { confirm, ...words } = clearWords(chosen, shared)
  async function clear(what: ClearTarget, grantId: string) {
    try {
      const { deleted } = await cache.clear.mutate(what, { context: { stepUp: grantId } })
      toast({ text: `${formatCount(deleted, shared ? 'key' : 'value')} deleted.`, tone: 'ok' })
    } finally {
      // Also after a failure: a part may be gone.
      void queries.invalidateQueries(trpc.cache.pathFilter())
    }
  }
  return (
    <StepUpDialog
      asked={{
        ...words,
        action: 'cache.clear',
        input: chosen,
        confirmName: confirm,
        variant: 'danger',
        run: (grantId) => clear(chosen, grantId),
      }}
      onClose={onClose}
    />
  )
}

function Choice({
  target,
  shared,
  names,
  onClose,
  onChoose,
}: {
  target: ClearTarget
  shared: boolean
  names: readonly string[]
  onClose: () => void
  onChoose: (target: ClearTarget) => void
}) {
  const [scope, setScope] = useState(target.scope)
  const [picked, setPicked] = useState('')
  const namespace = picked || names[0] || ''
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onChoose(scope === 'namespace' ? { scope, namespace } : { scope })
  }
  return (
    <Dialog open onClose={onClose} title="Clear the cache">
      <form method="post" onSubmit={submit} className="flex flex-col gap-4">
        <RadioGroup
          legend="What is cleared"
          name="scope"
          value={scope}
          onChange={setScope}
          options={[
            {
              value: 'ours',
              label: 'The whole cache',
              hint: shared ? 'Every key of this cache; keys of others stay.' : 'Every value of this process.',
            },
            {
              value: 'namespace',
              label: 'One namespace',
              hint: names.length === 0 ? 'None was used since the start.' : undefined,
              disabled: names.length === 0,
            },
            ...(shared
              ? [
                  {
                    value: 'all' as const,
                    label: 'Everything in Redis',
                    hint: 'Also the keys of other applications.',
                  },
                ]
              : []),
          ]}
        />
        {scope === 'namespace' ? (
          <Field label="Namespace">
            <Select value={namespace} onChange={({ target }) => setPicked(target.value)}>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </Select>
          </Field>
        ) : null}
        {scope === 'all' ? (
          <Callout tone="bad" title="Other applications lose their keys too">
            Sessions, queues and locks that others keep in this Redis are gone then.
          </Callout>
        ) : null}
        <FormActions onCancel={onClose}>
          <Button type="submit" variant="danger">
            Go on
          </Button>
        </FormActions>
      </form>
    </Dialog>
  )
}
