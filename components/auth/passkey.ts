'use client'

import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/browser'
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react'
import type { RouterOutputs } from '@/server/routers/_app'

/** What the browser needs to ask for a passkey, and to make one, as the server says it. */
export type PasskeyRequest = RouterOutputs['auth']['passkeyOptions']['options']
export type PasskeyPlan = RouterOutputs['account']['beginPasskey']['options']
/** What the browser answers to them. */
export type PasskeyAnswer = AuthenticationResponseJSON
export type PasskeyMade = RegistrationResponseJSON

/** Comes with the first ceremony: most sign-ins never need it. */
const ceremony = () => import('./passkey-ceremony')

/** Has the browser prove a passkey. Throws what a person can be told. */
export const provePasskey = async (request: PasskeyRequest) => (await ceremony()).prove(request)

/** Has the browser make a passkey. Throws what a person can be told. */
export const makePasskey = async (plan: PasskeyPlan) => (await ceremony()).make(plan)

/**
 * Runs a ceremony of the browser for the component that asked. Once that is gone nobody waits for it: the browser's
 * question is taken back, and null is answered whatever came of it.
 */
export function useCeremony(): <T>(run: () => Promise<T>) => Promise<T | null> {
  const asking = useRef(false)
  const here = useRef(true)
  useEffect(() => {
    here.current = true
    return () => {
      here.current = false
      if (asking.current) void ceremony().then(({ leave }) => leave())
    }
  }, [])
  return useCallback(async (run) => {
    asking.current = true
    try {
      const answer = await run()
      return here.current ? answer : null
    } finally {
      asking.current = false
    }
  }, [])
}

/** Whether this browser knows passkeys here: it withholds them on plain http away from localhost. */
export function usePasskeySupport(): boolean {
  return useSyncExternalStore(
    () => () => {},
    () => typeof window.PublicKeyCredential === 'function',
    () => true,
  )
}
