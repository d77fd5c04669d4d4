import { useQuery } from '@tanstack/react-query'
import { BookmarkPlus, CalendarClock, CornerDownLeft } from 'lucide-react'
import { useState } from 'react'

import { answersForQuery, api, keys, queryClient, type Answer, type AnswerSuggestion, type Section } from '@/api'
import { Button } from '@/ui/button'
import { Badge } from '@/ui/feedback'
import { toast } from '@/ui/toast'

import { AnswerDialog } from './dialog'
import { opening, usesInWords } from './words'

/** What the library has for each question of a section. Without it, nothing is suggested and nothing is in the way. */
export function useSuggested(section: Section): (questionId: string) => AnswerSuggestion[] {
  const found = useQuery({ ...answersForQuery(section.id), enabled: section.questions.length > 0 }).data ?? []
  return (questionId) => found.filter((one) => one.question_id === questionId)
}

interface SuggestedProps {
  section: Section
  question: Section['questions'][number]
  suggestions: AnswerSuggestion[]
  value: string
  onInsert: (text: string) => void
}

/** Below a question: earlier answers to put in, or a way to keep the one that is there. */
export function Suggested({ section, question, suggestions, value, onInsert }: SuggestedProps) {
  const [keeping, setKeeping] = useState(false)
  const isKnown = suggestions.some(({ answer }) => value.includes(answer.answer.trim()))
  const fresh = suggestions.filter(({ answer }) => !value.includes(answer.answer.trim()))
  const insert = (answer: Answer) => {
    onInsert(value.trim() ? `${value.trim()}\n\n${answer.answer.trim()}` : answer.answer.trim())
    void countUse(answer)
  }
  return (
    <>
      {fresh.length > 0 && (
        <ul className="mt-2 space-y-1.5" aria-label={`Answers you have: ${question.text}`}>
          {fresh.map(({ answer }) => (
            <li key={answer.id} className="rounded-lg border border-line px-3 py-2 text-[0.9rem]">
              <p className="line-clamp-3 wrap-anywhere">{opening(answer.answer)}</p>
              <div className="mt-1.5 flex flex-wrap items-center gap-2">
                <Button
                  size="sm"
                  aria-label={`Insert the answer to “${answer.question}”`}
                  onClick={() => insert(answer)}
                >
                  <CornerDownLeft aria-hidden /> Insert
                </Button>
                {answer.review_due && (
                  <Badge tone="warn">
                    <CalendarClock aria-hidden /> Review due
                  </Badge>
                )}
                <span className="text-[0.82rem] text-ink-3">{usesInWords(answer)}</span>
              </div>
            </li>
          ))}
        </ul>
      )}
      {value.trim() !== '' && !isKnown && (
        <Button
          size="sm"
          variant="ghost"
          className="mt-1"
          aria-label={`Keep your answer to “${question.text}”`}
          onClick={() => setKeeping(true)}
        >
          <BookmarkPlus aria-hidden /> Keep this answer
        </Button>
      )}
      <AnswerDialog
        subject={
          keeping ? { question: question.text, answer: value, section_id: section.id, question_id: question.id } : null
        }
        onClose={() => setKeeping(false)}
      />
    </>
  )
}

/** Once for each time that it is put in; asked again with the same id when the first try got no answer. */
async function countUse(answer: Answer): Promise<void> {
  const useId = crypto.randomUUID()
  try {
    await api.countUse(answer.id, useId).catch(() => api.countUse(answer.id, useId))
    void queryClient.invalidateQueries({ queryKey: keys.answers() })
  } catch (error) {
    toast.error(error)
  }
}
