// Names of classes as they are shown, on machines without a font for them too: characters whose strokes fastlab knows
// are drawn from these, whatever fonts there are; another name that no font can show gives way to that of its folder.
// The name itself stays, as text, for screen readers and for search.
import { made } from './elements.js'

const strokes = {}, folders = {}, readable = {}

export const isGlyph = name => [...name].length === 1

// What the server tells: `glyphs`, the strokes of each sign in a square of side 100; classes and their names to show.
export function learn({ glyphs, models, keeping }) {
  Object.assign(strokes, glyphs)
  for (const { classes, names } of models) names.forEach((name, at) => { folders[name] ??= classes[at] })
  for (const told of keeping ?? []) folders[told.name] ??= told.class
}

// An element that shows a name; its class is `kind`, with 'word' for more than one sign.
export function nameIn(tag, name, kind = '') {
  const signs = [...name], drawn = signs.every(sign => Object.hasOwn(strokes, sign))
  const shown = drawn || canShow(name) ? name : inPlaceOf(name)
  const element = made(tag, { 'data-name': name, class: `${kind} ${isGlyph(shown) ? '' : 'word'}`.trim() })
  if (/\p{Script=Han}/u.test(name)) element.lang = 'zh-Hans'
  if (!drawn && shown === name) {
    element.textContent = name
    return element
  }
  element.append(...drawn ? signs.map(glyph) : [made('span', { text: shown, 'aria-hidden': 'true' })],
    made('span', { text: name, class: 'unseen' }))
  return element
}

function glyph(sign) {
  const d = strokes[sign].map(points => `M${points.map(point => point.join(' ')).join('L')}`).join('')
  return made('svg', { viewBox: '-6 -6 112 112', class: 'glyph', 'aria-hidden': 'true' }, made('path', { d }))
}

// What stands for a name that cannot be shown: its folder, else the numbers of its signs.
function inPlaceOf(name) {
  const folder = Object.hasOwn(folders, name) ? folders[name] : ''
  if (folder && canShow(folder)) return folder
  return [...name].slice(0, 2).map(sign => `U+${sign.codePointAt(0).toString(16).toUpperCase()}`).join(' ')
}

// Whether every sign comes out as itself: not as the box of those that no font has, and not as nothing.
function canShow(name) {
  const rare = [...name].filter(sign => !/[\u0020-\u024f\p{M}\p{Cf}\p{Z}]/u.test(sign))
  return rare.every(sign => readable[sign] ??= ![picture('\u{10ffff}'), picture(' ')].includes(picture(sign)))
}

function picture(sign) {
  const brush = new OffscreenCanvas(32, 32).getContext('2d', { willReadFrequently: true })
  brush.font = `22px ${getComputedStyle(document.documentElement).getPropertyValue('--glyphs')}`
  brush.fillText(sign, 4, 24)
  return brush.getImageData(0, 0, 32, 32).data.join()
}
