import clsx from 'clsx'

/**
 * Keeps the place of what comes, at its final size: give it the same height and width classes. It stays unseen
 * for the first 150 ms. A refetch must not show it: keep the old data.
 */
export function Skeleton({ className, label = 'Loading' }: { className: string; label?: string }) {
  return (
    <div role={label ? 'status' : undefined} className={clsx('animate-late', className)}>
      {label ? <span className="sr-only">{label}</span> : null}
      <div className="hatched size-full border-y border-border" />
    </div>
  )
}
