interface Measurement {
  what: string
  console?: boolean
  with?: string[]
  figures: Record<string, string[]>
}
export declare const MEASUREMENTS: Record<'bench' | 'chaos', Record<string, Measurement>>
