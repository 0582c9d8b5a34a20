'use client'

import { useCan } from '@/components/migration/use-can'
import { buttonClass } from '@/components/ui/button-class'
import { TileBoundary } from '@/components/ui/error-tile'
import { Link } from '@/components/ui/link'
import { PageHeader } from '@/components/ui/text'
import { History } from './history'
import { SourcesSection } from './sources'
import { TargetsSection } from './targets'

export function MigrationView() {
  const can = useCan()
  return (
    <>
      <PageHeader
        title="Migration"
        lead="From SQLite to PostgreSQL: checked, copied, compared, switched over."
        actions={
          can.manage ? (
            <Link href="/migration/new" className={buttonClass('primary')}>
              New migration
            </Link>
          ) : null
        }
      />
      <TileBoundary what="Runs">
        <History canManage={can.manage} />
      </TileBoundary>
      <TileBoundary what="Sources">
        <SourcesSection />
      </TileBoundary>
      <TileBoundary what="Targets">
        <TargetsSection />
      </TileBoundary>
    </>
  )
}
