'use client'

import { useQuery } from '@tanstack/react-query'
import { useLiveEvent } from '@/components/live/live'
import { useTRPC } from '@/components/trpc/trpc'
import { Mono, PageHeader } from '@/components/ui/text'
import { BlocksSection } from './blocks-section'
import { LimitsSection } from './limits-section'
import { TrustedSection } from './trusted-section'
import { useRefresh } from './use-refresh'

/** Who is blocked and limited now, who is trusted, and the limits in force. */
export function BlocksView() {
  const trpc = useTRPC()
  const { data: me } = useQuery(trpc.auth.me.queryOptions())
  const { data: state } = useQuery(trpc.security.limits.state.queryOptions())
  const refresh = useRefresh()
  useLiveEvent('audit', () => void refresh())
  const may = (what: 'operate' | 'manage') => me?.permissions.includes(`security:${what}`) ?? false
  return (
    <>
      <PageHeader
        title="Blocks and limits"
        lead={
          <>
            A blocked network gets no answer but a refusal, from every console within a second.
            {state?.own.address ? (
              <>
                {' '}
                You come from <Mono>{state.own.address}</Mono>
                {state.own.trusted ? ', which is trusted' : ''}.
              </>
            ) : null}
          </>
        }
      />
      <BlocksSection operate={may('operate')} />
      <LimitsSection />
      <TrustedSection manage={may('manage')} />
    </>
  )
}
