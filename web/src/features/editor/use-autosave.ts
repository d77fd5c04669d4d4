import { useEffect, useState } from 'react'

import { ApiError, api, isApiError, keys, queryClient, useStore, type Section } from '@/api'

import { Autosave, type Failure, type SaveState, type Version } from './autosave'
import { stash, stashed, unstash } from './stash'

export interface SectionAutosave {
  autosave: Autosave<Section>
  state: SaveState
  /** Changes when the text to show came from elsewhere than the keyboard. */
  epoch: number
  /** Shows this version of the section now. */
  replace: (section: Version) => void
}

/** The autosave of one section; mount it with the section's id as key. */
export function useSectionAutosave(section: Section): SectionAutosave {
  const [epoch, setEpoch] = useState(0)
  const [autosave] = useState(() => begin(section))
  const state = useStore(autosave.state)

  // A newer version from elsewhere: shown, unless something unsaved stands in the way; then saving tells of the conflict.
  useEffect(() => {
    if (section.revision <= autosave.revision) return
    const changed = section.text !== autosave.text
    if (autosave.adopt(section) && changed) setEpoch((n) => n + 1)
  }, [section, autosave])

  useEffect(() => {
    const leave = () => {
      if (!autosave.hasUnsaved) return
      stash(section.id, { revision: autosave.revision, text: autosave.text })
      void autosave.flush()
    }
    const hidden = () => document.visibilityState === 'hidden' && leave()
    const online = () => void autosave.flush()
    document.addEventListener('visibilitychange', hidden)
    addEventListener('pagehide', leave)
    addEventListener('online', online)
    return () => {
      document.removeEventListener('visibilitychange', hidden)
      removeEventListener('pagehide', leave)
      removeEventListener('online', online)
      leave()
      autosave.dispose()
    }
  }, [autosave, section.id])

  useEffect(() => {
    if (state.kind === 'failed') stash(section.id, { revision: autosave.revision, text: autosave.text })
    else if (state.kind === 'saved') unstash(section.id)
  }, [state, autosave, section.id])

  const replace = (version: Version) => {
    if (autosave.adopt(version)) setEpoch((n) => n + 1)
  }
  return { autosave, state, epoch, replace }
}

function begin(section: Section): Autosave<Section> {
  const autosave = new Autosave<Section>({
    start: { revision: section.revision, text: section.text },
    save: (text, revision) => api.saveSection(section.id, revision, { text }),
    judge: (error) => judge(section.id, error),
    onSaved: putSection,
  })
  const unsaved = stashed(section.id)
  if (unsaved && section.status !== 'approved' && unsaved.text !== section.text) {
    // Saved on top of the version it was written on, so that a change made since shows up as a conflict.
    autosave.adopt({ revision: unsaved.revision, text: section.text })
    autosave.edit(unsaved.text)
  }
  return autosave
}

async function judge(sectionId: string, error: unknown): Promise<Failure> {
  if (isApiError(error, 'stale_revision')) return { kind: 'stale', current: await currentVersion(sectionId, error) }
  if (isApiError(error, 'network', 'unavailable', 'rate_limited')) {
    return { kind: 'retry', afterMs: error.retryAfter ? error.retryAfter * 1000 : undefined }
  }
  return { kind: 'stop' }
}

/** A 412 carries the version that is there; where it does not, it is fetched. */
async function currentVersion(sectionId: string, error: ApiError): Promise<Version> {
  const nested = error.body.current
  const source = nested && typeof nested === 'object' ? (nested as Record<string, unknown>) : error.body
  const revision = source.revision ?? error.body.current_revision
  const text = source.text ?? error.body.current_text
  if (typeof revision === 'number' && typeof text === 'string') return { revision, text }
  return api.getSection(sectionId)
}

/** Puts a section, as the server answered it, where every view reads it. */
export function putSection(section: Section): void {
  queryClient.setQueryData<Section[]>(keys.sections(section.proposal_id), (all) =>
    all?.map((s) => (s.id === section.id ? { ...s, ...section } : s)),
  )
}
