export declare const root: string
export declare function entryPoints(): Record<string, string>
export declare function bundleOptions(outdir?: string): import('esbuild').BuildOptions
export declare function bundle(outdir?: string): Promise<string[]>
export declare function writeChanged(path: string, contents: Uint8Array): void
