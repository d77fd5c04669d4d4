/** Saving while one writes: one request at a time, the newest text wins, and a change made elsewhere is never overwritten. */

import { Store } from '@/api'

export interface Version {
  revision: number
  text: string
}

export type SaveState =
  | { kind: 'saved' }
  | { kind: 'dirty' }
  | { kind: 'saving' }
  | { kind: 'conflict'; theirs: Version; mine: string }
  | { kind: 'failed'; error: unknown; willRetry: boolean }

/** What a failed save means; the caller knows the API, this class only the course of events. */
export type Failure = { kind: 'stale'; current: Version } | { kind: 'retry'; afterMs?: number } | { kind: 'stop' }

export interface AutosaveOptions<T extends Version> {
  start: Version
  save: (text: string, revision: number) => Promise<T>
  judge: (error: unknown) => Promise<Failure> | Failure
  onSaved?: (saved: T) => void
  delayMs?: number
  retryMs?: number
}

export class Autosave<T extends Version> {
  readonly state = new Store<SaveState>({ kind: 'saved' })
  private base: Version
  private pending: string | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private running: Promise<void> | null = null
  private readonly options: AutosaveOptions<T>

  constructor(options: AutosaveOptions<T>) {
    this.options = options
    this.base = options.start
  }

  get revision(): number {
    return this.base.revision
  }

  /** What the person sees: unsaved text if there is some. */
  get text(): string {
    return this.pending ?? this.base.text
  }

  get hasUnsaved(): boolean {
    return this.pending !== null || this.running !== null
  }

  edit(text: string): void {
    if (text === this.text) return
    this.pending = text
    if (this.state.get().kind === 'conflict') {
      this.state.update((s) => (s.kind === 'conflict' ? { ...s, mine: text } : s))
      return
    }
    if (text === this.base.text && !this.running) {
      this.pending = null
      clearTimeout(this.timer)
      this.state.set({ kind: 'saved' })
      return
    }
    if (!this.running) this.state.set({ kind: 'dirty' })
    this.schedule(this.options.delayMs ?? 900)
  }

  /** Saves what is unsaved now. True when nothing is left unsaved. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer)
    if (this.state.get().kind === 'conflict') return false
    this.running ??= this.run().finally(() => {
      this.running = null
    })
    await this.running
    return this.pending === null
  }

  /** The server's text changed by something other than this editor. False if unsaved text stands in the way. */
  adopt(version: Version): boolean {
    if (this.hasUnsaved) return false
    this.base = { revision: version.revision, text: version.text }
    this.state.set({ kind: 'saved' })
    return true
  }

  /** Ends a conflict: with our text on top of theirs, or with theirs. */
  resolve(choice: 'mine' | 'theirs'): void {
    const state = this.state.get()
    if (state.kind !== 'conflict') return
    this.base = state.theirs
    if (choice === 'theirs' || state.mine === state.theirs.text) {
      this.pending = null
      this.state.set({ kind: 'saved' })
      return
    }
    this.pending = state.mine
    this.state.set({ kind: 'dirty' })
    void this.flush()
  }

  dispose(): void {
    clearTimeout(this.timer)
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.flush(), ms)
  }

  private async run(): Promise<void> {
    while (this.pending !== null) {
      const text = this.pending
      this.state.set({ kind: 'saving' })
      try {
        const saved = await this.options.save(text, this.base.revision)
        this.base = { revision: saved.revision, text }
        if (this.pending === text) this.pending = null
        this.options.onSaved?.(saved)
      } catch (error) {
        await this.fail(error)
        return
      }
    }
    this.state.set({ kind: 'saved' })
  }

  private async fail(error: unknown): Promise<void> {
    const failure = await this.options.judge(error)
    if (failure.kind === 'stale') {
      const mine = this.text
      if (failure.current.text === mine) {
        this.base = failure.current
        this.pending = null
        this.state.set({ kind: 'saved' })
      } else {
        this.state.set({ kind: 'conflict', theirs: failure.current, mine })
      }
      return
    }
    const willRetry = failure.kind === 'retry'
    this.state.set({ kind: 'failed', error, willRetry })
    if (willRetry) this.schedule(failure.afterMs ?? this.options.retryMs ?? 5_000)
  }
}
