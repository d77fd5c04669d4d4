import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Autosave, type Failure, type Version } from './autosave'

/** A server with one text, that refuses what was written on an older revision. */
class Server {
  revision = 1
  text = 'one'
  saves: string[] = []
  next: Error | null = null

  save = async (text: string, revision: number): Promise<Version> => {
    await Promise.resolve()
    if (this.next) {
      const error = this.next
      this.next = null
      throw error
    }
    if (revision !== this.revision) throw new Error('stale')
    this.saves.push(text)
    this.text = text
    this.revision += 1
    return { revision: this.revision, text }
  }

  judge = (error: unknown): Failure => {
    const { message } = error as Error
    if (message === 'stale') return { kind: 'stale', current: { revision: this.revision, text: this.text } }
    return message === 'offline' ? { kind: 'retry' } : { kind: 'stop' }
  }
}

let server: Server
let autosave: Autosave<Version>

beforeEach(() => {
  vi.useFakeTimers()
  server = new Server()
  autosave = new Autosave({ start: { revision: 1, text: 'one' }, save: server.save, judge: server.judge })
})
afterEach(() => vi.useRealTimers())

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('Autosave', () => {
  it('saves once, a moment after the last key', async () => {
    autosave.edit('one t')
    await wait(500)
    autosave.edit('one two')
    expect(autosave.state.get().kind).toBe('dirty')
    await wait(1000)
    expect(server.saves).toEqual(['one two'])
    expect(autosave.state.get().kind).toBe('saved')
    expect(autosave.revision).toBe(2)
  })

  it('does nothing when the text is as it was', async () => {
    autosave.edit('one two')
    autosave.edit('one')
    await wait(2000)
    expect(server.saves).toEqual([])
    expect(autosave.state.get().kind).toBe('saved')
  })

  it('saves what was typed during a save after it, on its revision', async () => {
    autosave.edit('two')
    const flushed = autosave.flush()
    autosave.edit('three')
    expect(await flushed).toBe(true)
    expect(server.saves).toEqual(['two', 'three'])
  })

  it('asks before it overwrites a change made elsewhere', async () => {
    server.revision = 5
    server.text = 'theirs'
    autosave.edit('mine')
    expect(await autosave.flush()).toBe(false)
    expect(autosave.state.get()).toMatchObject({
      kind: 'conflict',
      mine: 'mine',
      theirs: { revision: 5, text: 'theirs' },
    })

    autosave.edit('mine, longer')
    autosave.resolve('mine')
    await wait(0)
    expect(server.text).toBe('mine, longer')
  })

  it('takes the other text when told so', async () => {
    server.revision = 5
    server.text = 'theirs'
    autosave.edit('mine')
    await autosave.flush()
    autosave.resolve('theirs')
    expect([autosave.text, autosave.revision, autosave.hasUnsaved]).toEqual(['theirs', 5, false])
  })

  it('sees no conflict when both wrote the same', async () => {
    server.revision = 5
    server.text = 'same'
    autosave.edit('same')
    expect(await autosave.flush()).toBe(true)
    expect(autosave.revision).toBe(5)
  })

  it('keeps the text and tries again while the server is away', async () => {
    server.next = new Error('offline')
    autosave.edit('two')
    await wait(1000)
    expect(autosave.state.get()).toMatchObject({ kind: 'failed', willRetry: true })
    expect(autosave.text).toBe('two')
    await wait(6000)
    expect(server.saves).toEqual(['two'])
  })

  it('does not try again what was refused', async () => {
    server.next = new Error('locked')
    autosave.edit('two')
    await wait(60_000)
    expect(autosave.state.get()).toMatchObject({ kind: 'failed', willRetry: false })
    expect(server.saves).toEqual([])
  })

  it('adopts a newer version unless something is unsaved', () => {
    expect(autosave.adopt({ revision: 7, text: 'new' })).toBe(true)
    expect(autosave.text).toBe('new')
    autosave.edit('mine')
    expect(autosave.adopt({ revision: 8, text: 'newer' })).toBe(false)
    expect(autosave.text).toBe('mine')
  })
})
