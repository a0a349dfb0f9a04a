// The page: a sheet to draw on, a card a network, and what lies between them.
import { Asking, post, request } from './asking.js'
import { Card, percent } from './card.js'
import { keyboardPen } from './keypen.js'
import { isGlyph, learn, nameIn } from './names.js'
import { pictures } from './picture.js'
import { Sheet } from './sheet.js'

const RHYTHM = 80           // milliseconds between questions while the pen moves
const SETTLED = 900         // of rest before the answer is said to a screen reader
const at = id => document.getElementById(id)

const sheet = new Sheet(at('sheet'))
const asking = new Asking(show, trouble, busy)
const calm = matchMedia('(prefers-reduced-motion: reduce)')
let cards = [], models = [], every = false, askTimer = 0, sayTimer = 0, playing = 0

function say(text) { at('said').textContent = text }

function trouble(text) {
  at('trouble').textContent = text
  at('trouble').hidden = !text
}

// The drawing or the image as the server takes it.
function question(extra = {}) {
  const layers = every ? 'all' : 'blocks'
  if (sheet.picture) {
    const { blob } = sheet.picture, type = blob.type.startsWith('image/') ? blob.type : 'application/octet-stream'
    return { body: blob, type, query: `?${new URLSearchParams({ layers, ...extra })}` }
  }
  const told = { strokes: sheet.strokes, pen: sheet.pen, fit: at('fit').checked, layers, ...extra }
  return { body: JSON.stringify(told), type: 'application/json' }
}

function ask() {
  clearTimeout(askTimer)
  askTimer = 0
  if (!sheet.empty) asking.ask(question())
  busy()
}

function soon() {
  askTimer ||= setTimeout(ask, RHYTHM)
  busy()
}

// Screen readers wait with the readings while a newer answer is on its way.
function busy() { at('readings').ariaBusy = String(Boolean(askTimer) || asking.busy) }

function show({ models: answers }) {
  trouble('')
  answers.forEach((answer, place) => cards[place].show(answer))
  at('strip').replaceChildren(...cards.map(card => card.line(cards.length > 1)))
  for (const button of at('keep-classes').children) button.classList.toggle('likely', button.dataset.name === cards[0].top)
  clearTimeout(sayTimer)
  sayTimer = setTimeout(() => say(answers.map(spoken).join(' ')), SETTLED)
}

function spoken(answer, place) {
  const [top, next] = Card.best(models[place], answer.probabilities)
  const who = models.length > 1 ? `${models[place].title} reads` : 'Read as'
  return `${who} ${top.name}, ${percent(top.share)}${next?.share >= 0.0005 ? `; next ${next.name}, ${percent(next.share)}` : ''}.`
}

sheet.addEventListener('change', () => {
  at('frame').classList.toggle('drawn', !sheet.empty)
  at('undo').disabled = !sheet.past.length
  at('redo').disabled = !sheet.future.length
  at('clear').disabled = sheet.empty
  for (const button of at('keep-classes').children) button.disabled = sheet.empty
  if (!sheet.empty) return soon()
  clearTimeout(askTimer)
  clearTimeout(sayTimer)
  askTimer = 0
  asking.forget()
  busy()
  cards.forEach(card => card.clear())
  at('strip').replaceChildren()
  say('The sheet is empty.')
})
sheet.addEventListener('paused', ask)
sheet.addEventListener('touched', () => playing++)
sheet.addEventListener('full', () => trouble('The sheet is full. Clear it to go on.'))

for (const [id, act] of [['undo', () => sheet.undo()], ['redo', () => sheet.redo()], ['clear', () => sheet.clear()]]) {
  at(id).addEventListener('click', () => {
    playing++
    act()
    if (at(id).disabled) sheet.canvas.focus({ preventScroll: true })
  })
}
addEventListener('keydown', event => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return
  const key = event.key.toLowerCase(), again = key === 'y' || (key === 'z' && event.shiftKey)
  if (key !== 'z' && key !== 'y') return
  event.preventDefault()
  playing++
  again ? sheet.redo() : sheet.undo()
})
at('pen').addEventListener('input', () => {
  const choice = Number(at('pen').value)
  sheet.pen = 2 ** choice
  at('pen-said').textContent = choice === 0 ? 'as in training' : `${sheet.pen.toFixed(2)} × that of training`
  sheet.paint()
  soon()
})
at('fit').addEventListener('change', ask)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', ask)     // feature maps take the page's colours

new ResizeObserver(() => at('desk').style.setProperty('--tall', `${at('desk').offsetHeight}px`)).observe(at('desk'))
keyboardPen(sheet, say)
pictures(at('frame'), at('choose'), at('file'), picture => { playing++; sheet.show(picture) }, trouble)

// Draws a character by itself, stroke by stroke; anything that the visitor does ends it.
async function play(name) {
  const turn = ++playing
  const { strokes, error } = await request(`/api/example?${new URLSearchParams({ name })}`)
  if (error) return trouble(error)
  if (turn !== playing) return
  if (calm.matches) return sheet.become({ strokes, picture: null })
  const total = strokes.reduce((sum, stroke) => sum + stroke.length, 0), pause = Math.min(16, 1100 / total)
  sheet.become({ strokes: [], picture: null })
  for (const stroke of strokes) {
    sheet.begin(stroke[0])
    sheet.past.pop()        // the whole character is one step of the history
    for (const point of stroke.slice(1)) {
      await new Promise(done => setTimeout(done, pause))
      if (turn !== playing) return
      sheet.extend(point)
    }
  }
  ask()
}

async function keep(className, name) {
  if (sheet.empty) return
  const extra = { class: className }
  const { kept, error } = await post('/api/keep', question(extra))
  if (error) return trouble(error)
  trouble('')
  at('kept').replaceChildren('Kept as ', nameIn('b', name), `: ${kept}`)
  playing++
  sheet.clear()
}

function chips(home, names, act) {
  home.classList.toggle('words', !names.every(({ name }) => isGlyph(name)))
  home.replaceChildren(...names.map(told => {
    const button = nameIn('button', told.name)
    button.type = 'button'
    button.addEventListener('click', () => act(told))
    return button
  }))
}

function onEvery(checked) {
  every = checked
  for (const card of cards) card.every.checked = checked
  ask()
}

async function start() {
  const about = await request('/api/about')
  if (about.error) return trouble(about.error)
  learn(about)
  models = about.models
  cards = models.map((model, number) => new Card(model, number, { onEvery }))
  at('readings').replaceChildren(...cards.map(card => card.element))
  at('readings').classList.toggle('several', cards.length > 1)
  at('examples').hidden = !about.examples.length
  chips(at('example-names'), about.examples.map(name => ({ name })), ({ name }) => play(name))
  at('keep').hidden = !about.keeping?.length
  chips(at('keep-classes'), about.keeping ?? [], told => keep(told.class, told.name))
  sheet.changed()
  document.body.dataset.ready = 'true'
}
start()
