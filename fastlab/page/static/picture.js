// Images from elsewhere: dropped, pasted or chosen; made smaller in the page where they are larger than the server takes.

const MOST_BYTES = 900_000, MOST_PIXELS = 12_000_000, SMALLER = 1024

export function pictures(frame, button, input, show, fail) {
  const take = async file => {
    if (!file) return
    try {
      show(await pictureOf(file))
    } catch (error) {
      fail(error.message)
    }
  }
  button.addEventListener('click', () => input.click())
  input.addEventListener('change', () => { take(input.files[0]); input.value = '' })
  document.addEventListener('paste', event => {
    const file = [...event.clipboardData.files][0]
    if (file) { event.preventDefault(); take(file) }
    else if (event.clipboardData.types.length) fail('What was pasted holds no image.')
  })
  let depth = 0       // dragging over a child leaves its parent: count
  const mark = change => { depth = change ? Math.max(0, depth + change) : 0; frame.classList.toggle('dropping', depth > 0) }
  addEventListener('dragenter', event => { if (carries(event)) { event.preventDefault(); mark(1) } })
  addEventListener('dragleave', event => { if (carries(event)) mark(-1) })
  addEventListener('dragover', event => { if (carries(event)) event.preventDefault() })
  addEventListener('drop', event => {
    mark(0)
    if (!carries(event)) return
    event.preventDefault()
    take(event.dataTransfer.files[0])
  })
}

const carries = event => [...event.dataTransfer.types].includes('Files')

// {blob, bitmap}: what is sent, and what is shown; bitmap is null where the browser cannot open it but the server may.
async function pictureOf(file) {
  const bitmap = await createImageBitmap(file).catch(() => null)
  if (!bitmap) {
    if (file.size > MOST_BYTES) throw new Error(`${file.name || 'This file'} is no image that can be read here.`)
    return { blob: file, bitmap: null }
  }
  const small = file.size <= MOST_BYTES && bitmap.width * bitmap.height <= MOST_PIXELS
  return { blob: small ? file : await smaller(bitmap), bitmap }
}

async function smaller(bitmap) {
  const scale = Math.min(1, SMALLER / Math.min(bitmap.width, bitmap.height)), most = 4 * SMALLER
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.min(most, Math.round(bitmap.width * scale)))
  canvas.height = Math.max(1, Math.min(most, Math.round(bitmap.height * scale)))
  const brush = canvas.getContext('2d')
  brush.fillStyle = '#fff'
  brush.fillRect(0, 0, canvas.width, canvas.height)
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  for (const quality of [0.92, 0.7, 0.4]) {
    const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg', quality))
    if (blob && blob.size <= MOST_BYTES) return blob
  }
  throw new Error('This image cannot be made small enough.')
}
