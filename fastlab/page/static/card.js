// One network's card: its answer, every class, what it was given, where it looked, and its layers.
import { made } from './elements.js'
import { isGlyph, nameIn } from './names.js'
import { blank, paintLooked, paintMaps, paintSeen } from './pixels.js'

const MOST_BARS = 14        // with more classes the likeliest are shown, best first
const SURE = 0.9, LIKELY = 0.5

export const percent = share => share >= 0.9995 ? '100 %' : share < 0.0005 ? '0 %' : `${(100 * share).toFixed(1)} %`

export class Card {
  constructor(model, number, { onEvery }) {
    this.model = model
    this.words = !model.names.every(isGlyph)
    this.build(number, onEvery)
    this.clear()
  }

  build(number, onEvery) {
    const { title, net, parameters, paper, tested } = this.model, id = `card-${number}`
    const figures = tested ? ` · reads ${percent(tested.accuracy)} of ${tested.n.toLocaleString('en')} test images` : ''
    this.time = made('p', { class: 'time' })
    this.stamp = made('div', { class: 'stamp', 'aria-hidden': 'true' })
    this.share = made('p', { class: 'share' })
    this.verdict = made('p', { class: 'verdict' })
    this.bars = made('ol', { class: `bars ${this.words ? 'words' : ''}`, 'aria-label': 'Probability of every class' })
    this.seen = made('canvas', { class: 'view', role: 'img', 'aria-label': 'The image that the network was given' })
    this.looked = made('canvas', { class: 'view', role: 'img', 'aria-label': 'Where the network looked' })
    this.lookedSaid = made('span', { text: 'warm: what speaks for the answer' })
    this.rows = made('div', { class: 'layers' })
    const every = made('input', { type: 'checkbox', id: `${id}-every` })
    every.addEventListener('change', () => onEvery(every.checked))
    this.every = every
    this.element = made('article', { class: 'card', 'aria-labelledby': id },
      made('div', { class: 'head' }, made('h2', { id, text: title }),
        made('p', { text: `${net} · ${parameters.toLocaleString('en')} weights${figures}` }), this.time),
      made('div', { class: 'answer' }, this.stamp, made('div', {}, this.share, this.verdict)),
      made('div', { class: 'sight' }, this.bars, made('div', { class: 'views' },
        captioned(this.seen, 'What it was given', `${paper.crop} × ${paper.crop} pixels`),
        captioned(this.looked, 'Where it looked', this.lookedSaid))),
      made('div', { class: 'layers' },
        made('div', { class: 'top-line' }, made('h3', { text: 'What its layers made of it' }),
          made('label', {}, every, 'every step')), this.rows))
  }

  clear() {
    this.element.classList.add('waiting')
    this.stamp.className = 'stamp'
    this.stamp.textContent = '?'
    this.share.textContent = 'Ready'
    this.verdict.textContent = `Draw one of its ${this.model.classes.length} classes.`
    this.time.textContent = ''
    this.showBars(this.model.classes.map(() => 0))
    for (const row of this.bars.children) row.lastChild.textContent = ''
    for (const canvas of [this.seen, this.looked]) blank(canvas)
    this.rows.replaceChildren(made('p', { class: 'note', text: 'Its feature maps appear here as you draw.' }))
  }

  show(answer) {
    this.element.classList.remove('waiting')
    this.time.textContent = `${answer.milliseconds.toFixed(1)} ms`
    this.showAnswer(answer.probabilities)
    this.showBars(answer.probabilities)
    paintSeen(this.seen, answer.seen)
    if (answer.looked) paintLooked(this.looked, answer.looked, answer.seen, this.model.paper.light)
    else blank(this.looked)
    this.lookedSaid.textContent = answer.looked ? 'warm: what speaks for the answer' : 'not known for this network'
    this.showLayers(answer.layers)
  }

  // The class on top and the next one, as {name, share}.
  static best({ names }, shares) {
    const order = shares.map((share, at) => [share, at]).sort((one, other) => other[0] - one[0])
    return order.map(([share, at]) => ({ name: names[at], share }))
  }

  // The answer in one line, for screens on which the card itself is out of sight.
  line(withTitle) {
    const stamp = this.stamp.cloneNode(true), title = withTitle ? [made('small', { text: this.model.title })] : []
    return made('p', {}, stamp, this.share.textContent, ...title)
  }

  showAnswer(shares) {
    const [top, next] = Card.best(this.model, shares)
    const sure = top.share >= SURE ? 'sure' : top.share >= LIKELY ? 'likely' : ''
    this.stamp.replaceWith(this.stamp = nameIn('div', top.name, `stamp ${sure}`))
    this.share.textContent = percent(top.share)
    const said = sure === 'sure' ? 'It reads ' : sure ? 'Probably ' : 'Unsure: perhaps '
    this.verdict.replaceChildren(said, nameIn('b', top.name),
      ...(next?.share >= 0.0005 ? [', else ', nameIn('b', next.name), ` ${percent(next.share)}`] : []))
    this.top = top.name
  }

  showBars(shares) {
    const ranked = shares.map((share, at) => at).sort((one, other) => shares[other] - shares[one])
    const shown = shares.length > MOST_BARS ? ranked.slice(0, MOST_BARS) : shares.map((share, at) => at)
    while (this.bars.children.length < shown.length) this.bars.append(bar())
    shown.forEach((at, place) => {
      const row = this.bars.children[place], [label, track, said] = row.children, name = this.model.names[at]
      if (label.dataset.name !== name) row.replaceChild(nameIn('span', name, 'label'), label)
      row.classList.toggle('top', at === ranked[0] && shares[at] > 0)
      track.firstChild.style.setProperty('--share', shares[at].toFixed(4))
      said.textContent = percent(shares[at])
    })
  }

  showLayers(layers) {
    const names = layers.map(layer => layer.name).join()
    if (this.layerNames !== names || this.rows.children.length !== layers.length || !this.rows.querySelector('canvas')) {
      this.layerNames = names
      this.rows.replaceChildren(...layers.map(layerRow))
      const signed = layers.some(layer => layer.low < 0)
      this.rows.append(made('p', { class: 'key' }, made('span', { text: 'above zero' }),
        ...(signed ? [made('span', { text: 'below zero', class: 'below' })] : [])))
    }
    layers.forEach((layer, place) => paintMaps(this.rows.children[place].querySelector('canvas'), layer, columnsOf(layer)))
  }
}

const columnsOf = ({ count }) => count <= 8 ? count : count <= 32 ? Math.min(16, Math.ceil(count / 2)) : 16

function layerRow({ name, kind, shape, count }) {
  const [maps, height, width] = shape, some = count < maps ? `, the first ${count} shown` : ''
  const canvas = made('canvas', { role: 'img', 'aria-label': `Feature maps of ${name}` })
  return made('figure', { class: 'layer' }, made('figcaption', {}, made('b', { text: name }),
    `${kind === name ? '' : `${kind} · `}${maps} maps of ${height} × ${width}${some}`), canvas)
}

function bar() {
  return made('li', {}, made('span', { class: 'label' }),
    made('span', { class: 'track', 'aria-hidden': 'true' }, made('span', { class: 'fill' })), made('span', { class: 'percent' }))
}

function captioned(view, title, said) {
  return made('figure', {}, view, made('figcaption', {}, made('b', { text: title }), said))
}
