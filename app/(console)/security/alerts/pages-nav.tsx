import { Button } from '@/components/ui/button'
import type { usePages } from './use-pages'

/** On and back in a list whose pages begin with the latest. */
export function PagesNav({
  label,
  pages,
  next,
}: {
  label: string
  pages: ReturnType<typeof usePages>
  next: { at: number; id: string } | null | undefined
}) {
  if (!pages.before && !next) return null
  return (
    <nav aria-label={label} className="mt-3 flex gap-2">
      {pages.before ? <Button onClick={pages.latest}>Latest</Button> : null}
      {next ? <Button onClick={() => pages.older(next)}>Older</Button> : null}
    </nav>
  )
}
