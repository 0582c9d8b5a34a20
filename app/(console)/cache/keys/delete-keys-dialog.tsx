'use client'

import { useQueryClient } from '@tanstack/react-query'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { formatCount } from '@/components/ui/format'
import { Mono } from '@/components/ui/text'
import { useToast } from '@/components/ui/toast'

/** Keys that one call takes. */
const MOST = 500
const NAMED = 5

/** Deletes single keys. Several take their number typed. */
export function DeleteKeysDialog({
  keys,
  onDeleted,
  onClose,
}: {
  keys: readonly string[]
  onDeleted: (keys: readonly string[]) => void
  onClose: () => void
}) {
  const trpc = useTRPC()
  const { cache } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const several = keys.length > 1

  async function remove() {
    let deleted = 0
    for (let from = 0; from < keys.length; from += MOST) {
      const part = keys.slice(from, from + MOST)
      deleted += (await cache.deleteKeys.mutate({ keys: part })).deleted
      onDeleted(part)
    }
    const gone = keys.length - deleted
    const rest = gone > 0 ? ` ${formatCount(gone, 'key')} had gone before.` : ''
    toast({ text: `${formatCount(deleted, 'key')} deleted.${rest}`, tone: 'ok' })
    void queries.invalidateQueries(trpc.cache.stats.pathFilter())
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={several ? `Delete ${formatCount(keys.length, 'key')}?` : 'Delete this key?'}
      effect={
        <>
          <p>Their values are gone at once; it cannot be taken back.</p>
          <ul className="mt-2">
            {keys.slice(0, NAMED).map((key) => (
              <li key={key}>
                <Mono>{key}</Mono>
              </li>
            ))}
            {keys.length > NAMED ? <li>and {formatCount(keys.length - NAMED, 'other')}</li> : null}
          </ul>
        </>
      }
      confirmName={several ? String(keys.length) : undefined}
      confirmLabel={several ? `Delete ${formatCount(keys.length, 'key')}` : 'Delete the key'}
      onConfirm={remove}
    />
  )
}
