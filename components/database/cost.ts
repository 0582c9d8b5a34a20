import { formatNumber } from '@/components/ui/format'

/** Costs in the planner's units: whole ones, and small ones with a decimal. */
export function formatCost(cost: number): string {
  return formatNumber(cost, cost < 10 && !Number.isInteger(cost) ? 1 : 0)
}

/** How many times smaller `after` is than `before`: `340×`, `2.4×`. */
export function factorOf(before: number, after: number): string {
  if (before === after) return '1×'
  const factor = before / Math.max(after, 0.01)
  return `${formatNumber(factor, factor < 10 ? 1 : 0)}×`
}
