import { encode } from 'uqr'

/** Modules of white around the code: ISO/IEC 18004 asks for four. */
const quietZone = 4
/** Whole pixels a module, so that no edge falls between two. */
const pixelsPerModule = 4

/** A QR code, black on white in every theme, since many scanners read no other. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: 'M', border: quietZone })
  const path = data.map((row, y) =>
    runsOf(row)
      .map(([x, width]) => `M${x} ${y}h${width}v1h-${width}z`)
      .join(''),
  )
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      width={size * pixelsPerModule}
      height={size * pixelsPerModule}
      shapeRendering="crispEdges"
      className="h-auto max-w-full forced-color-adjust-none"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path.join('')} fill="#000" />
    </svg>
  )
}

/** Black modules beside one another, as [start, length]. */
function runsOf(row: readonly boolean[]): [number, number][] {
  const runs: [number, number][] = []
  for (const [at, black] of row.entries()) {
    const last = runs.at(-1)
    if (!black) continue
    if (last && last[0] + last[1] === at) last[1] += 1
    else runs.push([at, 1])
  }
  return runs
}
