'use client'

import { useQuery } from '@tanstack/react-query'
import { FactorForm, type Proof } from '@/components/auth/factor-form'
import { SignedInAs } from '@/components/auth/signed-in-as'
import { useTRPCClient } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'

export function FreshFactor({ next }: { next: string }) {
  const { auth } = useTRPCClient()
  const options = useQuery({
    queryKey: ['step-up'],
    queryFn: () => auth.stepUpOptions.mutate({}),
    // A passkey's answer fits the question that was asked last.
    ...{ staleTime: 0, gcTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false },
  })
  async function prove(proof: Proof) {
    try {
      await auth.stepUp.mutate({ action: 'session.confirm', input: {}, ...proof })
    } catch (error) {
      if ('passkey' in proof) void options.refetch()
      throw error
    }
    // A full load: the console opens with what this session may do from now on.
    location.replace(next)
  }
  return (
    <>
      <h1 className="text-title font-medium">Confirm that it is you</h1>
      <p className="mt-1 mb-6 text-muted">
        Something about your account looks unusual. Until you prove a second factor, nothing else is open to
        this session.
      </p>
      {options.data ? (
        <FactorForm
          factors={options.data.factors.filter((factor) => factor !== 'backup-code')}
          passkey={options.data.passkey}
          label="Confirm"
          passkeyLabel="Use a passkey"
          onProof={prove}
        />
      ) : options.error ? (
        <ErrorTile error={options.error} what="Your factors" onRetry={() => options.refetch()} />
      ) : (
        <Skeleton className="h-40 w-full" label="Loading your factors" />
      )}
      <SignedInAs />
    </>
  )
}
