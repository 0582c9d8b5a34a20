'use client'

import { PasswordForm } from '@/components/auth/password-form'
import { SignedInAs } from '@/components/auth/signed-in-as'

export function NewPassword({ next, least }: { next: string; least: number }) {
  return (
    <>
      <h1 className="text-title font-medium">Give yourself a new password</h1>
      <p className="mt-1 mb-6 text-muted">
        An admin asked for it. Until then nothing else is open to you, and your other sessions end with it.
      </p>
      {/* A full load: the console opens with what this session may do from now on. */}
      <PasswordForm least={least} onChanged={() => location.replace(next)} />
      <SignedInAs />
    </>
  )
}
