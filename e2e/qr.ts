import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'

/** What a scanner reads in a picture. */
export function scan(picture: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-qr-'))
  try {
    writeFileSync(join(folder, 'qr.png'), picture)
    return execFileSync('zbarimg', ['--quiet', '--raw', join(folder, 'qr.png')], { encoding: 'utf8' }).trim()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The modules of white on each side of a QR code in a picture: scanners tolerate too few, the standard does not. */
export async function quietZone(page: Page, picture: Buffer) {
  return page.evaluate(async (base64) => {
    const image = new Image()
    image.src = `data:image/png;base64,${base64}`
    await image.decode()
    const canvas = document.createElement('canvas')
    const [width, height] = [image.width, image.height]
    Object.assign(canvas, { width, height })
    const context = canvas.getContext('2d') as CanvasRenderingContext2D
    context.drawImage(image, 0, 0)
    const { data } = context.getImageData(0, 0, width, height)
    const light = (x: number, y: number) => (data[(y * width + x) * 4] ?? 0) > 200
    const black = { left: width, top: height, right: 0, bottom: 0 }
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (light(x, y)) continue
        black.left = Math.min(black.left, x)
        black.top = Math.min(black.top, y)
        black.right = Math.max(black.right, x)
        black.bottom = Math.max(black.bottom, y)
      }
    }
    // The finder pattern at the top left is seven modules wide.
    let finder = 0
    while (!light(black.left + finder, black.top)) finder++
    const module = finder / 7
    return {
      left: black.left / module,
      top: black.top / module,
      right: (width - 1 - black.right) / module,
      bottom: (height - 1 - black.bottom) / module,
    }
  }, picture.toString('base64'))
}
