'use client'

import clsx from 'clsx'
import type { MouseEvent, ReactNode, Ref } from 'react'
import { type ButtonVariant, buttonClass } from './button-class'
import { Spinner } from './icons'
import { useSingleFlight } from './single-flight'

export type ButtonProps = {
  children: ReactNode
  variant?: ButtonVariant
  size?: 'small' | 'normal'
  /** `submit` sends the form around it. */
  type?: 'button' | 'submit'
  /** May return a promise: the button is busy until it settles and drops further clicks. */
  onClick?: (event: MouseEvent<HTMLButtonElement>) => unknown
  /** Busy from outside (a mutation's isPending). */
  busy?: boolean
  disabled?: boolean
  /** Why it is disabled: shown as its description and title. */
  title?: string
  icon?: ReactNode
  className?: string
  ref?: Ref<HTMLButtonElement>
  'aria-label'?: string
  'aria-expanded'?: boolean
  'aria-controls'?: string
  'aria-haspopup'?: 'dialog' | 'menu'
  'aria-describedby'?: string
}

/**
 * A button that acts once: while its promise runs it is busy, keeps its width and its focus, and ignores
 * clicks (also as a submit button).
 */
export function Button({
  children,
  variant = 'quiet',
  size = 'normal',
  type = 'button',
  onClick,
  busy = false,
  icon,
  className,
  ...rest
}: ButtonProps) {
  const [run, running] = useSingleFlight((event: MouseEvent<HTMLButtonElement>) => onClick?.(event))
  const waiting = busy || running
  return (
    <button
      {...rest}
      type={type}
      aria-busy={waiting || undefined}
      aria-disabled={waiting || undefined}
      className={clsx(buttonClass(variant, size), className)}
      onClick={(event) => {
        if (waiting) event.preventDefault()
        else if (onClick) void run(event)
      }}
    >
      {waiting ? <Spinner /> : icon}
      <span>{children}</span>
    </button>
  )
}

export type IconButtonProps = Omit<ButtonProps, 'children' | 'icon' | 'variant' | 'size' | 'aria-label'> & {
  /** The accessible name, also shown as the title. */
  label: string
  children: ReactNode
}

/** A 32 px square with an icon and a spoken name. */
export function IconButton({
  label,
  children,
  onClick,
  busy,
  type = 'button',
  className,
  title,
  ...rest
}: IconButtonProps) {
  const [run, running] = useSingleFlight((event: MouseEvent<HTMLButtonElement>) => onClick?.(event))
  const waiting = busy || running
  return (
    <button
      {...rest}
      type={type}
      aria-label={label}
      title={title ?? label}
      aria-busy={waiting || undefined}
      aria-disabled={waiting || undefined}
      className={clsx(
        'inline-grid size-8 shrink-0 place-items-center rounded-control text-muted hover:bg-wash hover:text-text',
        'aria-disabled:opacity-55 disabled:cursor-not-allowed disabled:opacity-55',
        className,
      )}
      onClick={(event) => {
        if (waiting) event.preventDefault()
        else if (onClick) void run(event)
      }}
    >
      {waiting ? <Spinner /> : children}
    </button>
  )
}
