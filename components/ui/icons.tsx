import clsx from 'clsx'
import type { ReactNode } from 'react'

/** The console's own small set: 16 px, drawn with 1.5 px strokes, silent to screen readers. */
function Glyph({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      className={clsx('size-4 shrink-0', className)}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  )
}

type IconProps = { className?: string }

export const OverviewIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M1.75 8.5h2.5l2-5.5 3.5 10 2-4.5h2.5" />
  </Glyph>
)
export const DatabaseIcon = (props: IconProps) => (
  <Glyph {...props}>
    <ellipse cx="8" cy="3.75" rx="5.25" ry="2" />
    <path d="M2.75 3.75v8.5c0 1.1 2.35 2 5.25 2s5.25-.9 5.25-2v-8.5M2.75 8c0 1.1 2.35 2 5.25 2s5.25-.9 5.25-2" />
  </Glyph>
)
export const CacheIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M8 1.75 14.25 5 8 8.25 1.75 5zM1.75 8 8 11.25 14.25 8M1.75 11 8 14.25 14.25 11" />
  </Glyph>
)
export const SecurityIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M8 1.75 13.25 3.5v4c0 3.3-2.1 5.6-5.25 6.75C4.85 13.1 2.75 10.8 2.75 7.5v-4z" />
  </Glyph>
)
export const MigrationIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M1.75 5.25h11M10 2.5l2.75 2.75L10 8M14.25 10.75h-11M6 8l-2.75 2.75L6 13.5" />
  </Glyph>
)
export const AccountIcon = (props: IconProps) => (
  <Glyph {...props}>
    <circle cx="8" cy="5" r="3.25" />
    <path d="M2 14.25c.6-2.9 2.9-4.25 6-4.25s5.4 1.35 6 4.25" />
  </Glyph>
)
export const SystemIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M1.75 4.5h7M12.75 4.5h1.5M1.75 11.5h1.5M7.25 11.5h7" />
    <circle cx="10.75" cy="4.5" r="1.75" />
    <circle cx="5.25" cy="11.5" r="1.75" />
  </Glyph>
)
export const MenuIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M2 4h12M2 8h12M2 12h12" />
  </Glyph>
)
export const CloseIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="m3.5 3.5 9 9M12.5 3.5l-9 9" />
  </Glyph>
)
export const CopyIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M5.75 5.75h8.5v8.5h-8.5zM10.25 5.75v-4h-8.5v8.5h4" />
  </Glyph>
)
export const CheckIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="m2.5 8.5 3.75 3.75L13.5 4" />
  </Glyph>
)
export const ChevronIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="m4 6 4 4 4-4" />
  </Glyph>
)
export const FoldIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M1.75 2.75h12.5v10.5H1.75zM6 2.75v10.5M11.5 6l-2 2 2 2" />
  </Glyph>
)
export const BellIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M3 11.5h10c-1-1-1.25-2-1.25-4.25a3.75 3.75 0 0 0-7.5 0C4.25 9.5 4 10.5 3 11.5zM6.75 13.75h2.5" />
  </Glyph>
)
export const SearchIcon = (props: IconProps) => (
  <Glyph {...props}>
    <circle cx="7" cy="7" r="4.75" />
    <path d="m10.5 10.5 3.75 3.75" />
  </Glyph>
)
export const EyeIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M1 8c1.6-3 4-4.5 7-4.5S13.4 5 15 8c-1.6 3-4 4.5-7 4.5S2.6 11 1 8z" />
    <circle cx="8" cy="8" r="2" />
  </Glyph>
)
export const EyeOffIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M1 8c1.6-3 4-4.5 7-4.5S13.4 5 15 8c-1.6 3-4 4.5-7 4.5S2.6 11 1 8zM2.5 14l11-12" />
  </Glyph>
)
export const DownloadIcon = (props: IconProps) => (
  <Glyph {...props}>
    <path d="M8 1.75v8.5M4.5 7 8 10.5 11.5 7M2 14.25h12" />
  </Glyph>
)

/** Turning while something runs; still, but present, under reduced motion. */
export function Spinner({ className }: IconProps) {
  return (
    <Glyph className={clsx('animate-turn', className)}>
      <path d="M8 1.75A6.25 6.25 0 1 1 1.75 8" />
    </Glyph>
  )
}
