import { namespaceHref } from '@/components/cache/keys-href'
import { MissesTable } from '@/components/cache/misses-table'
import type { NamespaceFigures, Stats } from '@/components/cache/types'
import { sumOf } from '@/components/cache/words'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { formatBytes, formatNumber, formatShare } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { KeyValue, Section } from '@/components/ui/text'

export type NamespaceDrawerProps = {
  /** The one that is open; null for none. */
  name: string | null
  /** Undefined where nothing has that name. */
  figures: NamespaceFigures | undefined
  stats: Stats
  onClear?: (name: string) => void
  onClose: () => void
}

/** One namespace: its hits, and why it missed. */
export function NamespaceDrawer({ name, figures, stats, onClear, onClose }: NamespaceDrawerProps) {
  return (
    <Drawer
      open={name !== null}
      onClose={onClose}
      title={`Namespace ${name}`}
      footer={
        figures ? (
          <>
            {stats.mode === 'memory' ? null : (
              <Link href={namespaceHref(stats, figures.name)} className={buttonClass()}>
                Keys in Redis
              </Link>
            )}
            {onClear ? <Button onClick={() => onClear(figures.name)}>Clear…</Button> : null}
          </>
        ) : undefined
      }
    >
      {figures ? (
        <Figures of={figures} />
      ) : (
        <Empty kind="no-match" title="No namespace has this name">
          It was never used since this process started.
        </Empty>
      )}
    </Drawer>
  )
}

function Figures({ of }: { of: NamespaceFigures }) {
  const misses = sumOf(of.misses)
  const asked = of.hits + misses
  return (
    <>
      <KeyValue
        items={[
          {
            label: 'Hits · misses',
            value: `${formatNumber(of.hits)} · ${formatNumber(misses)} (${formatShare(asked === 0 ? null : of.hits / asked)} hits)`,
          },
          { label: 'Hits of the local level', value: formatNumber(of.localHits) },
          { label: 'Hits of a stale value', value: formatNumber(of.staleHits) },
          { label: 'Values set · deleted', value: `${formatNumber(of.sets)} · ${formatNumber(of.deletes)}` },
          { label: 'Values computed', value: formatNumber(of.computed) },
          { label: 'Callers that shared a computation', value: formatNumber(of.shared) },
          {
            label: 'Local entries · bytes',
            value: `${formatNumber(of.localEntries)} · ${formatBytes(of.localBytes)}`,
          },
        ]}
      />
      <Section title="Misses by reason">
        <MissesTable misses={of.misses} of={of.name} />
      </Section>
    </>
  )
}
