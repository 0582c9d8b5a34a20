import type { CDPSession, Page } from '@playwright/test'

/** A passkey as Chromium's virtual authenticator holds it. */
export interface Passkey {
  credentialId: string
  isResidentCredential: boolean
  rpId?: string
  privateKey: string
  userHandle?: string
  signCount: number
}

export interface Authenticator {
  /** The passkey that it holds. Throws when there is none, or more than one. */
  passkey(): Promise<Passkey>
  /** Whether its user proves to be present and to be the right one; refusing shows what a cancelled dialog does. */
  answer(verified: boolean): Promise<void>
}

/** Gives a page an authenticator of its own, which says yes to everything. With `passkey` it holds a copy of that. */
export async function addAuthenticator(page: Page, passkey?: Passkey): Promise<Authenticator> {
  const browser: CDPSession = await page.context().newCDPSession(page)
  await browser.send('WebAuthn.enable')
  const { authenticatorId } = await browser.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  if (passkey) {
    // Copies must not look like clones: the counter of each starts above whatever was used before.
    const signCount = Math.floor((Date.now() - Date.UTC(2025, 0)) / 100)
    await browser.send('WebAuthn.addCredential', { authenticatorId, credential: { ...passkey, signCount } })
  }
  return {
    async passkey() {
      const { credentials } = await browser.send('WebAuthn.getCredentials', { authenticatorId })
      const [only] = credentials
      if (!only || credentials.length > 1) throw new Error(`It holds ${credentials.length} passkeys.`)
      return only
    },
    async answer(verified) {
      await browser.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: verified })
    },
  }
}
