/** Changes that ask for a sign-in of the last few minutes: one dialog asks, then the change goes on. */

import { isApiError, Store } from '@/api'

export class SignInCancelled extends Error {
  override readonly name = 'SignInCancelled'
}

export interface Question {
  answer: (signedIn: boolean) => void
}

/** What the dialog shows, if anything is waiting. */
export const question = new Store<Question | null>(null)

function askToSignIn(): Promise<void> {
  question.get()?.answer(false) // one at a time
  return new Promise((resolve, reject) => {
    question.set({
      answer: (signedIn) => {
        question.set(null)
        if (signedIn) resolve()
        else reject(new SignInCancelled())
      },
    })
  })
}

/** Does it; where the API wants a fresh sign-in first, asks for one and does it then. Throws SignInCancelled. */
export async function freshly<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (!isApiError(error, 'fresh_sign_in_required')) throw error
    await askToSignIn()
    return action()
  }
}
