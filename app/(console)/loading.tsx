import { Skeleton } from '@/components/ui/skeleton'

/** The outline of a page while its first values are on the way; unseen for the first 150 ms. */
export default function Loading() {
  return (
    <div className="flex flex-col gap-6">
      <Skeleton className="h-12 w-64 max-w-full" label="Loading the page" />
      <Skeleton className="h-24 w-full" label="" />
      <Skeleton className="h-64 w-full" label="" />
    </div>
  )
}
