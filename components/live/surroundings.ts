import type { TRPCClient } from '@trpc/client'
import { refreshSession } from '@/components/auth/refresh'
import { isSignedOut } from '@/components/trpc/links'
import type { AppRouter } from '@/server/routers/_app'
import type { TabMessage } from './protocol'
import type { Surroundings } from './stream'

const CHANNEL = 'holdfast-live'

/** The real browser around the stream. */
export function browserSurroundings(client: TRPCClient<AppRouter>): Surroundings {
  return {
    open(after, { onEvent, onEnd }) {
      const { unsubscribe } = client.system.live.subscribe(
        { lastEventId: after },
        {
          onData: onEvent,
          onError: (error) => onEnd(isSignedOut(error) ? 'signed-out' : 'lost'),
          onComplete: () => onEnd('lost'),
        },
      )
      return unsubscribe
    },
    refresh: async () => (await refreshSession({ force: true })).state,
    now: () => Date.now(),
    locks: typeof navigator === 'undefined' ? undefined : navigator.locks,
    channel() {
      const channel = new BroadcastChannel(CHANNEL)
      return {
        post: (message) => channel.postMessage(message),
        onMessage(listener) {
          channel.onmessage = (event: MessageEvent<TabMessage>) => listener(event.data)
        },
        close: () => channel.close(),
      }
    },
    hidden: () => document.visibilityState === 'hidden',
    onVisibility: (listener) => listen(document, 'visibilitychange', listener),
    onOnline: (listener) => listen(window, 'online', listener),
  }
}

function listen(target: EventTarget, name: string, listener: () => void): () => void {
  target.addEventListener(name, listener)
  return () => target.removeEventListener(name, listener)
}
