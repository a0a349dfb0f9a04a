// New elements of the page.

const DRAWN = new Set(['svg', 'path']), SVG = 'http://www.w3.org/2000/svg'

// A new element: tag, attributes ('text' is its text), children.
export function made(tag, { text, ...attributes } = {}, ...children) {
  const element = DRAWN.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag)
  if (text !== undefined) element.textContent = text
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}
