/** Which organisation this tab works in. Two tabs may be in two organisations; a new tab starts in the last one used. */

import { Store } from './store'

const KEY = 'bidwright.org'

function read(): string | null {
  try {
    return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY)
  } catch {
    return null // storage is switched off: the personal organisation is used
  }
}

export const currentOrg = new Store<string | null>(read())

export function selectOrg(id: string | null): void {
  currentOrg.set(id)
  try {
    for (const storage of [sessionStorage, localStorage]) {
      if (id) storage.setItem(KEY, id)
      else storage.removeItem(KEY)
    }
  } catch {
    // Storage is switched off: the choice lives as long as the page.
  }
}

const SESSION_KEY = 'bidwright.session'

/**
 * Whether this browser may have a session. The cookie cannot be read here; without this note every first visit would
 * begin with a refused request.
 */
export const sessionHint = {
  get: (): boolean => {
    try {
      return localStorage.getItem(SESSION_KEY) !== null
    } catch {
      return true // storage is switched off: the server is asked
    }
  },
  set: (on: boolean): void => {
    try {
      if (on) localStorage.setItem(SESSION_KEY, '1')
      else localStorage.removeItem(SESSION_KEY)
    } catch {
      // As above.
    }
  },
}
