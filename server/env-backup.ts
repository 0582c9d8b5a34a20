import { span, text } from './env-values'
import { variable } from './env-variable'

/** What Holdfast reads about its backups. */
export const backupVariables = {
  BACKUP_DIR: variable(
    text().optional(),
    'a folder',
    'Folder of the backups that npm run backup makes; best on another machine’s disk',
    { shown: 'backups in the data folder' },
  ),
  BACKUP_PASSPHRASE: variable(
    text()
      .refine((value) => value.length >= 12)
      .optional(),
    'at least 12 characters',
    'Seals the master key in a backup, and opens it; without it the key stands there in plain',
    { secret: true },
  ),
  BACKUP_MAX_AGE: variable(
    span().optional(),
    'a time span such as 26h',
    'Age of the last backup from which on health, a finding and a metric warn; without it none does',
  ),
}
