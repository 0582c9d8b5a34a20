'use client'

import { useState } from 'react'
import { LinkOnce, type MadeLink } from '@/components/security/shown-once'
import { useMayManage } from '@/components/security/use-may-manage'
import { useAsked } from '@/components/shell/use-asked'
import { Button } from '@/components/ui/button'
import { TileBoundary } from '@/components/ui/error-tile'
import { PageHeader } from '@/components/ui/text'
import { InviteDialog } from './invite-dialog'
import { PolicySection } from './policy'
import { RightsSection } from './rights'
import { UserList } from './user-list'

export function UsersView() {
  const manage = useMayManage()
  const [inviting, setInviting] = useState(false)
  const [made, setMade] = useState<MadeLink>()
  useAsked('invite', () => setInviting(true), manage)
  return (
    <>
      <PageHeader
        title="Users and roles"
        lead={
          manage
            ? 'Who may sign in, and what each may do.'
            : 'Who may sign in, and what each may do. Only an admin can change it.'
        }
        actions={
          manage ? (
            <Button variant="primary" onClick={() => setInviting(true)}>
              Invite a user
            </Button>
          ) : null
        }
      />
      <TileBoundary what="Users">
        <UserList manage={manage} onLink={setMade} />
      </TileBoundary>
      <TileBoundary what="Second factor">
        <PolicySection manage={manage} />
      </TileBoundary>
      <TileBoundary what="Roles">
        <RightsSection />
      </TileBoundary>
      {inviting ? (
        <InviteDialog
          onClose={() => setInviting(false)}
          onMade={(link) => {
            setInviting(false)
            setMade(link)
          }}
        />
      ) : null}
      {made ? <LinkOnce made={made} onClose={() => setMade(undefined)} /> : null}
    </>
  )
}
