/** The AI's work on each section, kept outside the page so that it goes on when one looks at another section. */

import { useSyncExternalStore } from 'react'

import { api, isApiError, JobFailed, keys, queryClient, Store, usageQuery, type DiffBlock, type Section } from '@/api'
import { putSection } from '@/features/editor/use-autosave'

export interface Running {
  kind: 'draft' | 'revise'
  status: string
  /** The text so far. */
  text: string
  jobId: string | null
  cancelling: boolean
}

/** A text that waits for the person's word; nothing of it is saved yet. */
export interface Suggestion {
  title: string
  blocks: DiffBlock[]
  text: string
  /** The revision of the section that it would change. */
  revision: number
}

export interface Generation {
  running: Running | null
  suggestion: Suggestion | null
  error: unknown
}

const IDLE: Generation = { running: null, suggestion: null, error: null }
const all = new Store<ReadonlyMap<string, Generation>>(new Map())

const read = (sectionId: string): Generation => all.get().get(sectionId) ?? IDLE

export function useGeneration(sectionId: string): Generation {
  return useSyncExternalStore(all.subscribe, () => read(sectionId))
}

function set(sectionId: string, change: Partial<Generation>): void {
  const next = { ...read(sectionId), ...change }
  const map = new Map(all.get())
  if (next.running || next.suggestion || next.error) map.set(sectionId, next)
  else map.delete(sectionId)
  all.set(map)
}

function setRunning(sectionId: string, change: Partial<Running>): void {
  const { running } = read(sectionId)
  if (running) set(sectionId, { running: { ...running, ...change } })
}

export interface DraftInput {
  answers: Record<string, string>
  uploadIds: string[]
}

/** Writes the section anew. The section must have nothing unsaved. */
export function startDraft(section: Section, { answers, uploadIds }: DraftInput): Promise<void> {
  return run(section, 'draft', async (watch) => {
    const input = { section_id: section.id, answers, ...(uploadIds.length > 0 && { upload_ids: uploadIds }) }
    const result = await api.draft(input, watch)
    const now = await refresh(section)
    if (result.applied) return
    // The section was changed while the draft was written, so the person chooses.
    set(section.id, {
      suggestion: {
        title: 'The new draft',
        blocks: [{ type: 'replace', before: now.text, after: result.text }],
        text: result.text,
        revision: now.revision,
      },
    })
  })
}

/** Asks for a revision and keeps it for the person to judge. */
export function startRevision(section: Section, instruction: string): Promise<void> {
  return run(section, 'revise', async (watch) => {
    const result = await api.revise({ section_id: section.id, instruction }, watch)
    await refresh(section)
    set(section.id, {
      suggestion: {
        title: `“${instruction}”`,
        blocks: result.diff.blocks,
        text: result.text,
        revision: result.base_revision,
      },
    })
  })
}

/** Saves a suggestion, on exactly the text that it was made for. */
export async function accept(section: Section): Promise<Section | null> {
  const { suggestion } = read(section.id)
  if (!suggestion) return null
  const saved = await api.saveSection(section.id, suggestion.revision, { text: suggestion.text })
  putSection(saved)
  set(section.id, { suggestion: null })
  return saved
}

export function discard(sectionId: string): void {
  set(sectionId, { suggestion: null })
}

export function dismissError(sectionId: string): void {
  set(sectionId, { error: null })
}

export async function cancel(sectionId: string): Promise<void> {
  const jobId = read(sectionId).running?.jobId
  if (!jobId) return
  setRunning(sectionId, { cancelling: true })
  try {
    await api.cancelJob(jobId)
  } catch (error) {
    setRunning(sectionId, { cancelling: false })
    throw error
  }
}

async function run(
  section: Section,
  kind: Running['kind'],
  work: (watch: api.GenerationWatch) => Promise<void>,
): Promise<void> {
  const id = section.id
  set(id, {
    running: { kind, status: 'queued', text: '', jobId: null, cancelling: false },
    error: null,
    suggestion: null,
  })
  try {
    await work({
      onJob: (jobId) => setRunning(id, { jobId }),
      onStatus: (status) => setRunning(id, { status }),
      onText: (text) => setRunning(id, { text, status: 'running' }),
    })
    set(id, { running: null })
  } catch (error) {
    const cancelled = error instanceof JobFailed && error.cancelled
    set(id, { running: null, error: cancelled ? null : error })
    // Part of it may have been written, or another window may be at it: show what is there.
    if (!isApiError(error, 'network', 'unavailable')) await refresh(section).catch(() => undefined)
  }
  void queryClient.invalidateQueries({ queryKey: usageQuery().queryKey })
  void queryClient.invalidateQueries({ queryKey: keys.proposal(section.proposal_id) })
}

async function refresh(section: Section): Promise<Section> {
  const now = await api.getSection(section.id)
  putSection(now)
  return now
}
