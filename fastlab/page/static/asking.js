// Questions to the server: one in flight, and of those that wait only the last.

export class Asking {
  // `show(answer)` takes what came back, `fail(message)` says what went wrong, `rest()` is called when nothing waits.
  constructor(show, fail, rest) {
    Object.assign(this, { show, fail, rest })
    this.next = null
    this.busy = false
    this.turn = 0
  }

  // Asks `request`, {body, type, query}; an older one that still waits is forgotten, and its answer not shown.
  ask(request) {
    this.next = request
    this.turn++
    if (!this.busy) this.work()
  }

  // Nothing is wanted any more: what is in flight will not be shown.
  forget() {
    this.next = null
    this.turn++
  }

  async work() {
    this.busy = true
    while (this.next) {
      const request = this.next, turn = this.turn
      this.next = null
      const outcome = await post('/api/read', request)
      if (turn !== this.turn) continue
      outcome.error ? this.fail(outcome.error) : this.show(outcome)
    }
    this.busy = false
    this.rest()
  }
}

// The server's JSON, or {error: a sentence for a person}; never throws.
export async function post(path, { body, type, query = '' }) {
  return request(path + query, { method: 'POST', body, headers: { 'Content-Type': type } })
}

export async function request(path, options = {}) {
  try {
    const response = await fetch(path, { ...options, signal: AbortSignal.timeout(30000) })
    const told = response.headers.get('Content-Type')?.startsWith('application/json') ? await response.json() : {}
    return response.ok ? told : { error: told.error ?? `The server refused this (${response.status}).` }
  } catch {
    return { error: 'The server does not answer. Is “fastlab draw” still running?' }
  }
}
