'use client'

import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input } from '@/components/ui/field'
import { formatBytes } from '@/components/ui/format'
import { Progress } from '@/components/ui/progress'
import { Mono } from '@/components/ui/text'
import { UploadError, type UploadedFile, upload } from './upload'

export type { UploadedFile }

type State =
  | { kind: 'idle' }
  | { kind: 'sending'; file: File; sent: number; started: number }
  | { kind: 'done'; uploaded: UploadedFile }
  | { kind: 'failed'; error: unknown }

/** A file of this computer, sent to the server with a progress bar; leaving the page stops it. */
export function UploadField({ onUploaded }: { onUploaded: (file: UploadedFile) => void }) {
  const trpc = useTRPC()
  const settings = useQuery(trpc.migration.settings.queryOptions())
  const [state, setState] = useState<State>({ kind: 'idle' })
  const abort = useRef<AbortController>(undefined)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => () => abort.current?.abort(), [])
  const most = settings.data?.uploadMax
  async function send(file: File) {
    if (most !== undefined && file.size > most) {
      setState({ kind: 'failed', error: tooLarge(most) })
      return
    }
    const controller = new AbortController()
    abort.current = controller
    const started = Date.now()
    setState({ kind: 'sending', file, sent: 0, started })
    try {
      const uploaded = await upload(file, {
        signal: controller.signal,
        onProgress: (sent) => setState({ kind: 'sending', file, sent, started }),
      })
      setState({ kind: 'done', uploaded })
      onUploaded(uploaded)
    } catch (error) {
      setState(controller.signal.aborted ? { kind: 'idle' } : { kind: 'failed', error })
    } finally {
      if (input.current) input.current.value = ''
    }
  }
  return (
    <div className="mt-4 flex max-w-prose flex-col gap-3">
      <Field
        label="Or upload a file"
        hint={`At most ${formatBytes(most)}. Close what writes to it first: changes that are still in its -wal file do not come along.`}
      >
        <Input
          ref={input}
          type="file"
          name="file"
          className="py-1"
          disabled={state.kind === 'sending'}
          onChange={(event) => {
            const file = event.target.files?.[0]
            if (file) void send(file)
          }}
        />
      </Field>
      {state.kind === 'sending' ? (
        <div className="flex items-end gap-4">
          <div className="flex-1">
            <Progress
              key={state.started}
              label={`Uploading ${state.file.name}`}
              value={state.sent}
              max={state.file.size}
              detail={`${formatBytes(state.sent)} of ${formatBytes(state.file.size)}`}
            />
          </div>
          <Button size="small" onClick={() => abort.current?.abort()}>
            Stop
          </Button>
        </div>
      ) : null}
      <div role="status" className="empty:hidden">
        {state.kind === 'done' ? (
          <p className="text-muted">
            <Mono>{state.uploaded.name}</Mono> has arrived whole. SHA-256 <Mono>{state.uploaded.sha256}</Mono>
          </p>
        ) : null}
      </div>
      <div role="alert" className="empty:hidden">
        {state.kind === 'failed' ? <ErrorText error={state.error} /> : null}
      </div>
    </div>
  )
}

function tooLarge(most: number): UploadError {
  return new UploadError(`The file is larger than ${formatBytes(most)}.`, {
    code: 'TOO_LARGE',
    requestId: null,
    remedy:
      'Raise MIGRATION_UPLOAD_MAX, or put the file into a folder of MIGRATION_SOURCE_DIRS on the server.',
  })
}
