/** The own account: ways to sign in, sessions, the profile. */

import { body, client } from './client'
import type { paths } from './generated/schema'
import type { Identity, Me, Page, Passkey, Session } from './types'

export const listProviders = async (): Promise<string[]> => (await body(client.GET('/api/auth/providers'))).providers

/** Where the browser goes to sign in with a provider; `next` is a path within the app. */
export function oauthStart(provider: string, next?: string): string {
  const query = next ? `?next=${encodeURIComponent(next)}` : ''
  return `/api/auth/oauth/${encodeURIComponent(provider)}/start${query}`
}

export const renameMe = (name: string): Promise<Me> => body(client.PATCH('/api/me', { body: { name } }))

export const changePassword = (input: { current_password: string; password: string }): Promise<Me> =>
  body(client.PATCH('/api/me', { body: input }))

export const setSecondFactor = (on: boolean): Promise<Me> =>
  body(client.PATCH('/api/me', { body: { second_factor: on } }))

export const deleteMe = () => body(client.DELETE('/api/me'))

// --- passkeys: the browser's own types and those of the document describe the same JSON of the standard --------------

type Sent<Path extends '/api/auth/passkeys' | '/api/auth/passkeys/sign-in'> =
  paths[Path]['post']['requestBody']['content']['application/json']['credential']

export const listPasskeys = (): Promise<Page<Passkey>> => body(client.GET('/api/auth/passkeys'))

export const passkeyOptions = (): Promise<PublicKeyCredentialCreationOptionsJSON> =>
  body(client.POST('/api/auth/passkeys/options')) as Promise<PublicKeyCredentialCreationOptionsJSON>

export const addPasskey = (name: string, credential: PublicKeyCredentialJSON): Promise<Passkey> =>
  body(client.POST('/api/auth/passkeys', { body: { name, credential: credential as Sent<'/api/auth/passkeys'> } }))

const ofPasskey = (id: string) => ({ params: { path: { passkey_id: id } } })

export const renamePasskey = (id: string, name: string): Promise<Passkey> =>
  body(client.PATCH('/api/auth/passkeys/{passkey_id}', { ...ofPasskey(id), body: { name } }))

export const removePasskey = (id: string) => body(client.DELETE('/api/auth/passkeys/{passkey_id}', ofPasskey(id)))

export const passkeySignInOptions = (): Promise<PublicKeyCredentialRequestOptionsJSON> =>
  body(client.POST('/api/auth/passkeys/sign-in/options')) as Promise<PublicKeyCredentialRequestOptionsJSON>

/** Signs in; `ticket` is that of a password that was right but is not enough. */
export const signInWithPasskey = (credential: PublicKeyCredentialJSON, ticket?: string): Promise<Me> =>
  body(
    client.POST('/api/auth/passkeys/sign-in', {
      body: { credential: credential as Sent<'/api/auth/passkeys/sign-in'>, ...(ticket && { ticket }) },
    }),
  )

// --- connected accounts and sessions ---------------------------------------------------------------------------------

export const listIdentities = (): Promise<Page<Identity>> => body(client.GET('/api/auth/identities'))

export const unlinkIdentity = (provider: string) =>
  body(client.DELETE('/api/auth/identities/{provider}', { params: { path: { provider } } }))

export const listSessions = (): Promise<Page<Session>> => body(client.GET('/api/auth/sessions'))

export const endSession = (id: string) =>
  body(client.DELETE('/api/auth/sessions/{session_id}', { params: { path: { session_id: id } } }))

export const endOtherSessions = () => body(client.DELETE('/api/auth/sessions'))
