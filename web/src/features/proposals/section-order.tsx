import { useMutation } from '@tanstack/react-query'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { useEffect, useRef } from 'react'

import { api, isApiError, keys, proposalQuery, queryClient, type Section } from '@/api'
import { IconButton } from '@/ui/button'
import { toast } from '@/ui/toast'

import { moved, same } from './order'

interface MoveProps {
  proposalId: string
  sections: Section[]
  section: Section
}

/** Moves the section that is open a place up or down. */
export function MoveButtons({ proposalId, sections, section }: MoveProps) {
  const ids = sections.map(({ id }) => id)
  const at = ids.indexOf(section.id)
  const up = useRef<HTMLButtonElement>(null)
  const down = useRef<HTMLButtonElement>(null)
  const wanted = useRef<-1 | 1 | null>(null)
  const move = useMutation({
    mutationFn: (by: -1 | 1) => put(proposalId, ids, moved(ids, section.id, by)),
    onMutate: (by) => {
      wanted.current = by
    },
    onError: toast.error,
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.proposal(proposalId) }),
  })
  // The list is drawn anew: whoever pressed a key goes on with the same button, or with the other one at the end.
  useEffect(() => {
    if (wanted.current === null) return
    const pressed = wanted.current === 1 ? down.current : up.current
    ;(pressed?.disabled ? (wanted.current === 1 ? up.current : down.current) : pressed)?.focus()
    wanted.current = null
  }, [at])
  const go = (by: -1 | 1) => {
    if (!move.isPending) move.mutate(by)
  }
  return (
    <span className="flex shrink-0 flex-col py-1 pr-1">
      <IconButton
        ref={up}
        label={`Move “${section.title}” up`}
        className="size-6.5!"
        disabled={at === 0}
        onClick={() => go(-1)}
      >
        <ArrowUp aria-hidden />
      </IconButton>
      <IconButton
        ref={down}
        label={`Move “${section.title}” down`}
        className="size-6.5!"
        disabled={at === ids.length - 1}
        onClick={() => go(1)}
      >
        <ArrowDown aria-hidden />
      </IconButton>
    </span>
  )
}

/**
 * Saves an order. An approval or a new title makes the known revision of the proposal old, and is no reason to refuse:
 * while the outline is the one that was seen, the order is saved on top of it. Another outline is shown, and kept.
 */
async function put(proposalId: string, seen: string[], wanted: string[]): Promise<void> {
  const { revision } = await queryClient.ensureQueryData(proposalQuery(proposalId))
  try {
    show(proposalId, (await api.orderSections(proposalId, revision, wanted)).items)
  } catch (error) {
    if (!isApiError(error, 'stale_revision')) throw error
    const { section_ids: ids, revision: current } = error.body
    if (typeof current === 'number' && Array.isArray(ids) && same(ids as string[], seen)) {
      show(proposalId, (await api.orderSections(proposalId, current, wanted)).items)
      return
    }
    await queryClient.invalidateQueries({ queryKey: keys.sections(proposalId) })
    toast.show({
      title: 'The sections changed meanwhile',
      description: 'This is how they stand now. Move yours again.',
    })
  }
}

/** The new order, with the texts as this page knows them: one that is being typed is newer than any answer. */
function show(proposalId: string, ordered: Section[]): void {
  queryClient.setQueryData<Section[]>(keys.sections(proposalId), (known) =>
    ordered.map((section) => {
      const mine = known?.find(({ id }) => id === section.id)
      return mine && mine.revision >= section.revision ? { ...mine, position: section.position } : section
    }),
  )
}
