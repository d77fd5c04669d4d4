/** The door of this folder: what the rest of the product may use of the API. */

export * as api from './endpoints'
export { sessionLost } from './client'
export { PART_NAMES, unavailable, type Part } from './health'
export { JobFailed, isFinal } from './jobs'
export { explain, type Explanation } from './messages'
export { currentOrg, selectOrg, sessionHint } from './org'
export { ApiError, isApiError } from './problem'
export * from './queries'
export { Store, useStore } from './store'
export { discardUnfinished, unfinishedUploads, type Pausable, type SendingState, type Unfinished } from './resumable'
export { download, uploadFile } from './transfer'
export type * from './types'
