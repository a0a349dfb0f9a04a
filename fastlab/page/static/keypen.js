// A pen for the keyboard: arrow keys move it, Space puts it down and lifts it. It works on the focused sheet alone.

const STEP = 1 / 24, FINE = 1 / 96
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

export function keyboardPen(sheet, say) {
  const pen = { x: 0.5, y: 0.5, down: false }

  const show = () => { sheet.cursor = pen; sheet.paint() }
  const lift = () => {
    if (!pen.down) return
    pen.down = false
    show()
    say('Pen up')
    sheet.dispatchEvent(new Event('paused'))
  }

  const move = ([dx, dy], step) => {
    pen.x = Math.min(1, Math.max(0, pen.x + dx * step))
    pen.y = Math.min(1, Math.max(0, pen.y + dy * step))
    if (pen.down) sheet.extend([pen.x, pen.y], 0.001)
    show()
  }

  const toggle = () => {
    if (pen.down) return lift()
    pen.down = true
    sheet.begin([pen.x, pen.y])
    show()
    say(`Pen down, ${Math.round(pen.x * 100)} across, ${Math.round(pen.y * 100)} down`)
  }

  sheet.canvas.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (ARROWS[event.key]) move(ARROWS[event.key], event.shiftKey ? FINE : STEP)
    else if (event.key === ' ') toggle()
    else if (event.key === 'Enter' || event.key === 'Escape') lift()
    else if (event.key === 'Backspace') { pen.down = false; sheet.undo() }
    else if (event.key === 'Delete') { pen.down = false; sheet.clear() }
    else return
    event.preventDefault()
  })
  sheet.canvas.addEventListener('focus', () => { if (sheet.canvas.matches(':focus-visible')) show() })
  sheet.canvas.addEventListener('blur', () => { lift(); sheet.cursor = null; sheet.paint() })
  sheet.addEventListener('touched', () => { pen.down = false; sheet.cursor = null })
}
