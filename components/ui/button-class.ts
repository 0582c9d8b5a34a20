import clsx from 'clsx'

export type ButtonVariant = 'primary' | 'quiet' | 'danger' | 'plain'

const LOOKS: Record<ButtonVariant, string> = {
  primary: 'border-accent bg-accent text-on-accent hover:border-accent-strong hover:bg-accent-strong',
  quiet: 'border-control bg-surface text-text hover:border-text',
  plain: 'border-transparent text-muted hover:bg-wash hover:text-text',
  danger: 'border-bad bg-bad text-on-accent hover:border-bad-strong hover:bg-bad-strong',
}

/** The classes of a button, for links that must look like one. Callable on the server too. */
export function buttonClass(variant: ButtonVariant = 'quiet', size: 'small' | 'normal' = 'normal'): string {
  return clsx(
    'inline-flex shrink-0 items-center justify-center gap-2 whitespace-nowrap rounded-control border font-medium',
    'aria-disabled:cursor-not-allowed disabled:cursor-not-allowed aria-disabled:opacity-55 disabled:opacity-55',
    size === 'small' ? 'h-6 px-2 text-note' : 'h-8 px-3 text-body',
    LOOKS[variant],
  )
}
