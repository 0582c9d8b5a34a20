/** Addresses are compared without case and surrounding space. */
export const plainEmail = (email: string) => email.trim().toLowerCase()
