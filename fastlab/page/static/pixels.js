// Bytes from the server onto canvases, in the colours of the page.

export function bytesOf(text) {
  return Uint8Array.from(atob(text), sign => sign.charCodeAt(0))
}

// 'R G B' of a colour that page.css defines, as three numbers.
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim().split(/\s+/).map(Number)
}

export function blank(canvas) {
  canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height)
}

// What the network was given, as it is.
export function paintSeen(canvas, { width, height, channels, pixels }) {
  const from = bytesOf(pixels)
  fill(canvas, width, height, place => {
    const at = place * channels
    return channels === 1 ? [from[at], from[at], from[at], 255] : [from[at], from[at + 1], from[at + 2], 255]
  })
}

// Where it looked, laid over what it was given: heat colours the paper and leaves the ink; photographs turn grey first.
export function paintLooked(canvas, looked, seen, light) {
  const heat = bytesOf(looked.pixels), from = bytesOf(seen.pixels), warm = colour('--heat')
  fill(canvas, looked.width, looked.height, place => {
    const share = heat[place] / 255, at = place * seen.channels
    if (seen.channels === 3) {
      const grey = 0.3 * from[at] + 0.59 * from[at + 1] + 0.11 * from[at + 2]
      return [...warm.map(value => grey + (value - grey) * 0.7 * share), 255]
    }
    const base = from[at], inked = value => base * (1 - share * (1 - value / 255))
    return [...warm.map(value => light ? inked(value) : base + (255 - base) * share * value / 255), 255]
  })
}

// All maps of a layer as tiles in one canvas: warm above zero, cold below, clear at zero.
export function paintMaps(canvas, { count, width, height, low, high, pixels }, columns) {
  const from = bytesOf(pixels), warm = colour('--warm'), cold = colour('--cold'), most = Math.max(-low, high) || 1
  const gap = width > 20 ? 2 : 1, rows = Math.ceil(count / columns)
  const wide = columns * (width + gap) - gap, tall = rows * (height + gap) - gap
  const [ground, groundShare] = [colour('--tile'), 255]
  fill(canvas, wide, tall, place => {
    const x = place % wide, y = Math.floor(place / wide), column = Math.floor(x / (width + gap)), row = Math.floor(y / (height + gap))
    const u = x - column * (width + gap), v = y - row * (height + gap), map = row * columns + column
    if (u >= width || v >= height || map >= count) return [0, 0, 0, 0]
    const value = low + (high - low) * from[(map * height + v) * width + u] / 255
    const share = Math.min(1, Math.abs(value) / most) ** 0.8, tint = value < 0 ? cold : warm
    return [...tint.map((full, at) => ground[at] + (full - ground[at]) * share), groundShare]
  })
}

function fill(canvas, width, height, rgba) {
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  const image = new ImageData(width, height)
  for (let place = 0; place < width * height; place++) image.data.set(rgba(place), place * 4)
  canvas.getContext('2d').putImageData(image, 0, 0)
}
