export function searchOutput(folder: string): { planted: number; files: number; found: string[] }
