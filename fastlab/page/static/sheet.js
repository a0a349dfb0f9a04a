// The sheet: strokes as vectors on a square of side 1, drawn with any pointer, every change undoable.

const NEAR = 0.004      // points closer than this to the last one are left out
const MOST_POINTS = 5900, MOST_STROKES = 398    // a little below what the server takes

export class Sheet extends EventTarget {
  // Tells of 'change' (something was drawn, undone or cleared), 'paused' (the pen was lifted) and 'full'.
  constructor(canvas) {
    super()
    this.canvas = canvas
    this.state = { strokes: [], picture: null }     // never changed in place: the history keeps the old ones
    this.past = []
    this.future = []
    this.pen = 1
    this.cursor = null      // where the keyboard's pen is
    this.listen()
  }

  get strokes() { return this.state.strokes }
  get picture() { return this.state.picture }
  get empty() { return !this.strokes.length && !this.picture }

  listen() {
    this.canvas.addEventListener('pointerdown', event => this.down(event))
    this.canvas.addEventListener('pointermove', event => this.move(event))
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      this.canvas.addEventListener(name, event => this.up(event))
    }
    new ResizeObserver(() => this.paint()).observe(this.canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.paint())
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect()
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
  }

  down(event) {
    if (this.pointer !== undefined || event.button !== 0) return
    event.preventDefault()
    this.canvas.focus({ preventScroll: true, focusVisible: false })
    this.pointer = event.pointerId
    this.canvas.setPointerCapture(event.pointerId)
    this.dispatchEvent(new Event('touched'))
    this.begin(this.place(event))
  }

  move(event) {
    if (event.pointerId !== this.pointer) return
    const steps = event.getCoalescedEvents?.() ?? []
    for (const step of steps.length ? steps : [event]) this.extend(this.place(step))
  }

  up(event) {
    if (event.pointerId !== this.pointer) return
    this.pointer = undefined
    this.dispatchEvent(new Event('paused'))
  }

  // A new stroke from `point`; drawing over a picture takes the picture away.
  begin(point) {
    if (this.strokes.length >= MOST_STROKES || this.points() >= MOST_POINTS) return this.full()
    this.become({ strokes: [...this.strokes, [this.bounded(point)]], picture: null })
  }

  // One more point of the last stroke; the same step of the history.
  extend(point, least = NEAR) {
    const stroke = this.strokes.at(-1), [x, y] = this.bounded(point), [u, v] = stroke?.at(-1) ?? [x, y]
    if (!stroke || Math.hypot(x - u, y - v) < least) return
    if (this.points() >= MOST_POINTS) return this.full()
    this.state = { ...this.state, strokes: [...this.strokes.slice(0, -1), [...stroke, [x, y]]] }
    this.changed()
  }

  bounded(point) { return point.map(value => Math.round(1e4 * Math.min(1.5, Math.max(-0.5, value))) / 1e4) }
  points() { return this.strokes.reduce((sum, stroke) => sum + stroke.length, 0) }
  full() { this.dispatchEvent(new Event('full')) }

  // A new state, as one step that can be undone.
  become(state) {
    this.past = [...this.past.slice(-199), this.state]
    this.future = []
    this.state = state
    this.changed()
  }

  show(picture) { this.become({ strokes: [], picture }) }
  clear() { if (!this.empty) this.become({ strokes: [], picture: null }) }

  undo() {
    if (!this.past.length) return
    this.future.push(this.state)
    this.state = this.past.pop()
    this.changed()
  }

  redo() {
    if (!this.future.length) return
    this.past.push(this.state)
    this.state = this.future.pop()
    this.changed()
  }

  changed() {
    this.paint()
    this.dispatchEvent(new Event('change'))
  }

  paint() {
    const side = Math.round(this.canvas.clientWidth * Math.min(devicePixelRatio, 3))
    if (!side) return
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side
    const brush = this.canvas.getContext('2d')
    brush.clearRect(0, 0, side, side)
    if (this.picture) paintPicture(brush, this.picture, side)
    brush.strokeStyle = brush.fillStyle = getComputedStyle(this.canvas).color
    brush.lineWidth = side * 0.034 * this.pen
    brush.lineCap = brush.lineJoin = 'round'
    for (const stroke of this.strokes) paintStroke(brush, stroke, side)
    if (this.cursor) paintCursor(brush, this.cursor, side, getComputedStyle(this.canvas))
  }
}

function paintPicture(brush, { bitmap }, side) {
  if (!bitmap) return
  const scale = side / Math.max(bitmap.width, bitmap.height), width = bitmap.width * scale, height = bitmap.height * scale
  brush.imageSmoothingEnabled = scale < 2
  brush.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height)
}

// A smooth line through the points: quadratic curves from middle to middle.
function paintStroke(brush, stroke, side) {
  const at = stroke.map(([x, y]) => [x * side, y * side])
  brush.beginPath()
  if (at.length === 1) {
    brush.arc(...at[0], brush.lineWidth / 2, 0, 7)
    return brush.fill()
  }
  brush.moveTo(...at[0])
  for (let i = 1; i < at.length - 1; i++) {
    brush.quadraticCurveTo(...at[i], (at[i][0] + at[i + 1][0]) / 2, (at[i][1] + at[i + 1][1]) / 2)
  }
  brush.lineTo(...at.at(-1))
  brush.stroke()
}

function paintCursor(brush, { x, y, down }, side, style) {
  const arm = side * 0.035
  brush.save()
  brush.lineWidth = Math.max(2, side * 0.006)
  brush.strokeStyle = brush.fillStyle = style.getPropertyValue('--focus')
  brush.beginPath()
  brush.arc(x * side, y * side, side * 0.022, 0, 7)
  down ? brush.fill() : brush.stroke()
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    brush.moveTo(x * side + dx * arm, y * side + dy * arm)
    brush.lineTo(x * side + dx * arm * 1.6, y * side + dy * arm * 1.6)
  }
  brush.stroke()
  brush.restore()
}
