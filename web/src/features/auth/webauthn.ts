/** Passkeys as the browser gives them: from the API's JSON to the browser's bytes and back. */

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
}

export function toBase64Url(bytes: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

export const passkeysWork = (): boolean =>
  typeof PublicKeyCredential === 'function' && typeof navigator.credentials?.get === 'function'

type Descriptors = PublicKeyCredentialDescriptorJSON[] | undefined

const descriptors = (list: Descriptors): PublicKeyCredentialDescriptor[] =>
  (list ?? []).map(({ id, ...rest }) => ({ ...rest, id: fromBase64Url(id) }) as PublicKeyCredentialDescriptor)

/** For browsers that know passkeys but not their JSON. */
export function creationOptions(json: PublicKeyCredentialCreationOptionsJSON): PublicKeyCredentialCreationOptions {
  return {
    ...(json as unknown as PublicKeyCredentialCreationOptions),
    challenge: fromBase64Url(json.challenge),
    user: { ...json.user, id: fromBase64Url(json.user.id) },
    excludeCredentials: descriptors(json.excludeCredentials),
  }
}

export function requestOptions(json: PublicKeyCredentialRequestOptionsJSON): PublicKeyCredentialRequestOptions {
  return {
    ...(json as unknown as PublicKeyCredentialRequestOptions),
    challenge: fromBase64Url(json.challenge),
    allowCredentials: descriptors(json.allowCredentials),
  }
}

export function credentialJson(credential: PublicKeyCredential): PublicKeyCredentialJSON {
  if (typeof credential.toJSON === 'function') return credential.toJSON()
  const { response } = credential
  const common = { clientDataJSON: toBase64Url(response.clientDataJSON) }
  const answer =
    response instanceof AuthenticatorAttestationResponse
      ? {
          ...common,
          attestationObject: toBase64Url(response.attestationObject),
          transports: response.getTransports?.() ?? [],
        }
      : assertion(response as AuthenticatorAssertionResponse, common)
  return {
    id: credential.id,
    rawId: toBase64Url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: answer,
  }
}

function assertion(response: AuthenticatorAssertionResponse, common: { clientDataJSON: string }) {
  return {
    ...common,
    authenticatorData: toBase64Url(response.authenticatorData),
    signature: toBase64Url(response.signature),
    userHandle: response.userHandle ? toBase64Url(response.userHandle) : undefined,
  }
}

/** The person closed the browser's window, or it waited too long. */
export class PasskeyNotUsed extends Error {
  override readonly name = 'PasskeyNotUsed'
}

/** This passkey, or another one of the account on the same device, is known already. */
export class PasskeyKnown extends Error {
  override readonly name = 'PasskeyKnown'
}

/** The browser has one question at a time open: the quiet one of the form makes room for the one that is clicked. */
let open: AbortController | null = null

async function ask(
  question: (signal: AbortSignal) => Promise<Credential | null>,
  until?: AbortSignal,
): Promise<PublicKeyCredentialJSON> {
  open?.abort()
  const mine = (open = new AbortController())
  until?.addEventListener('abort', () => mine.abort())
  try {
    const credential = await question(mine.signal)
    if (!credential) throw new PasskeyNotUsed()
    return credentialJson(credential as PublicKeyCredential)
  } catch (error) {
    if (error instanceof DOMException) {
      if (error.name === 'InvalidStateError') throw new PasskeyKnown()
      if (['NotAllowedError', 'AbortError'].includes(error.name)) throw new PasskeyNotUsed()
    }
    throw error
  } finally {
    if (open === mine) open = null
  }
}

export function createPasskey(json: PublicKeyCredentialCreationOptionsJSON): Promise<PublicKeyCredentialJSON> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON?.(json) ?? creationOptions(json)
  return ask((signal) => navigator.credentials.create({ publicKey, signal }))
}

export function askPasskey(
  json: PublicKeyCredentialRequestOptionsJSON,
  quietly?: { until: AbortSignal },
): Promise<PublicKeyCredentialJSON> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON?.(json) ?? requestOptions(json)
  const mediation = quietly ? ({ mediation: 'conditional' } as const) : {}
  return ask((signal) => navigator.credentials.get({ publicKey, signal, ...mediation }), quietly?.until)
}

/** Whether the browser offers passkeys in the list under the address field. An IP address can have none. */
export async function offersInField(): Promise<boolean> {
  if (!passkeysWork() || /^[\d.]+$|:/.test(location.hostname)) return false
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false
}
