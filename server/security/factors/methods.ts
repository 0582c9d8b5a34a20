/** How a session was signed in, after RFC 8176; `backup` is a backup code, which has no name there. */
export type Method = 'pwd' | 'otp' | 'hwk' | 'backup'

/** Whether a second factor was among the methods. */
export const hasFactor = (methods: readonly string[]) => methods.some((method) => method !== 'pwd')
