'use client'

import { type StatusKind, StatusMark } from '@/components/ui/status'

export type ConnectionState = 'live' | 'paused' | 'reconnecting' | 'offline' | 'signed-out'

const WORDS: Record<ConnectionState, { word: string; mark: StatusKind; does: string }> = {
  live: { word: 'Live', mark: 'ok', does: 'Pause live values' },
  paused: { word: 'Paused', mark: 'off', does: 'Resume live values' },
  reconnecting: { word: 'Reconnecting', mark: 'busy', does: 'Try to connect now' },
  offline: { word: 'Offline', mark: 'bad', does: 'Try to connect now' },
  'signed-out': { word: 'Signed out', mark: 'warn', does: 'Sign in again' },
}

/** The one live control, in words. Pressing it pauses, resumes, or tries again. */
export function ConnectionControl({ state, onPress }: { state: ConnectionState; onPress?: () => unknown }) {
  const { word, mark, does } = WORDS[state]
  return (
    <button
      type="button"
      title={does}
      className="flex h-8 items-center gap-1.5 rounded-control px-2 font-medium hover:bg-wash"
      onClick={() => void onPress?.()}
    >
      <StatusMark kind={mark} />
      <span aria-live="polite" className="min-w-8 text-left">
        {word}
      </span>
      <span className="sr-only">. {does}</span>
    </button>
  )
}
