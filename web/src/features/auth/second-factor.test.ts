import { expect, test } from 'vitest'

import { secondStepIn } from './second-factor'

const packed = (value: unknown) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

test('the step that a provider brings back is read', () => {
  const step = { ticket: 't', options: { challenge: 'c', rpId: 'bücher.example' } }
  expect(secondStepIn(`#second-step=${packed(step)}`)).toEqual(step)
})

test.each(['', '#', '#second-step=', '#second-step=%%%', `#second-step=${packed({ ticket: 1 })}`, '#other=1'])(
  'anything else is none: %s',
  (fragment) => {
    expect(secondStepIn(fragment)).toBeNull()
  },
)
