/** Server-sent events over fetch: an EventSource could not send X-Org-ID. */

import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** Yields each event of a stream body as it arrives. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<EventSourceMessage> {
  const ready: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => ready.push(event) })
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      parser.feed(decoder.decode(value, { stream: true }))
      while (ready.length) yield ready.shift() as EventSourceMessage
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
