/** A link within a line or a cell. */
export const plainLink = 'underline decoration-border underline-offset-4 hover:decoration-current'
