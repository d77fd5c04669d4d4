/** The answer library. */

import { body, client } from './client'
import type { Answer, AnswerChange, AnswerSuggestion, NewAnswer, Page } from './types'

export const listAnswers = (query: {
  q?: string
  state?: Answer['state']
  due?: boolean
  limit?: number
  cursor?: string
}): Promise<Page<Answer>> => body(client.GET('/api/answers', { params: { query } }))

export const getAnswer = (id: string): Promise<Answer> =>
  body(client.GET('/api/answers/{answer_id}', { params: { path: { answer_id: id } } }))

export const keepAnswer = (answer: NewAnswer): Promise<Answer> => body(client.POST('/api/answers', { body: answer }))

export const changeAnswer = (id: string, version: number, change: AnswerChange): Promise<Answer> =>
  body(
    client.PATCH('/api/answers/{answer_id}', {
      params: { path: { answer_id: id } },
      headers: { 'If-Match': `"${version}"` },
      body: change,
    }),
  )

export const deleteAnswer = (id: string) =>
  body(client.DELETE('/api/answers/{answer_id}', { params: { path: { answer_id: id } } }))

/** Counts one use; the same `useId` again is the same use. */
export const countUse = (id: string, useId: string): Promise<Answer> =>
  body(client.PUT('/api/answers/{answer_id}/uses/{use_id}', { params: { path: { answer_id: id, use_id: useId } } }))

export const suggestAnswers = (sectionId: string): Promise<Page<AnswerSuggestion>> =>
  body(client.GET('/api/answers/suggestions', { params: { query: { section_id: sectionId, limit: 2 } } }))
