/** Whether a text of a known form names a real moment of the years that PostgreSQL has: not a 30th of February. */
export function isReal(text: string): boolean {
  const iso = `${text.slice(0, 10)}T${text.slice(11, 19) || '00:00:00'}.000Z`
  const at = new Date(iso)
  return !Number.isNaN(at.getTime()) && at.toISOString() === iso && text >= '0001'
}
