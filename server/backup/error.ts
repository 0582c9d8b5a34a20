/** Why a backup is not made, not good or not restored; the message is ready to be shown. */
export class BackupError extends Error {
  override name = 'BackupError'
  /** What to do about it. */
  readonly remedy: string | undefined

  constructor(message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options)
    this.remedy = remedy
  }
}
