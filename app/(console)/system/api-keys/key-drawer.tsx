'use client'

import { Button } from '@/components/ui/button'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { useNow } from '@/components/ui/now'
import { Status } from '@/components/ui/status'
import { KeyValue, Mono } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'
import { type ApiKey, stateOf } from './words'

export function KeyState({ apiKey }: { apiKey: ApiKey }) {
  const { kind, word } = stateOf(apiKey, useNow())
  return <Status kind={kind}>{word}</Status>
}

export type KeyDrawerProps = {
  /** The one that is open; null for none. */
  id: string | null
  /** Undefined where there is none of that id. */
  apiKey: ApiKey | undefined
  onRevoke: (key: ApiKey) => void
  onClose: () => void
}

/** One key with every permission that it holds. */
export function KeyDrawer({ id, apiKey, onRevoke, onClose }: KeyDrawerProps) {
  return (
    <Drawer
      open={id !== null}
      onClose={onClose}
      title={apiKey ? `API key ${apiKey.name}` : 'API key'}
      footer={
        apiKey && apiKey.revokedAt === null ? (
          <Button onClick={() => onRevoke(apiKey)}>Revoke…</Button>
        ) : undefined
      }
    >
      {apiKey ? (
        <Facts of={apiKey} />
      ) : (
        <Empty kind="no-match" title="There is no such key">
          Its address may be of another console.
        </Empty>
      )}
    </Drawer>
  )
}

function Facts({ of: key }: { of: ApiKey }) {
  return (
    <KeyValue
      items={[
        { label: 'State', value: <KeyState apiKey={key} /> },
        { label: 'Begins with', value: <Mono>{key.prefix}…</Mono> },
        { label: 'Acts for', value: key.owner },
        { label: 'May', value: <Mono>{key.permissions.join(', ')}</Mono> },
        { label: 'Without a second factor', value: key.action ? <Mono>{key.action}</Mono> : 'nothing' },
        { label: 'Made', value: <Time at={key.createdAt} /> },
        { label: 'Ends', value: <Time at={key.expiresAt} /> },
        ...(key.revokedAt === null ? [] : [{ label: 'Revoked', value: <Time at={key.revokedAt} /> }]),
        {
          label: 'Last use',
          value:
            key.lastUsedAt === null ? (
              'never'
            ) : (
              <>
                <RelativeTime at={key.lastUsedAt} /> from{' '}
                <Mono>{key.lastAddress ?? 'an unknown address'}</Mono>
              </>
            ),
        },
      ]}
    />
  )
}
