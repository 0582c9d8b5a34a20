import { Button } from '@/components/ui/button'
import { DownloadIcon } from '@/components/ui/icons'
import { downloadText } from './csv'

/** Downloads what a picture shows. `of`: the picture's title; `name`: the file's, without its ending. */
export function CsvButton({ of, name, csv }: { of: string; name: string; csv: () => string }) {
  return (
    <Button
      variant="plain"
      size="small"
      icon={<DownloadIcon />}
      aria-label={`Download ${of} as CSV`}
      onClick={() => downloadText(`${name}.csv`, csv())}
    >
      CSV
    </Button>
  )
}
