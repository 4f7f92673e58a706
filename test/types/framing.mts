import net from 'node:net';
import {
  commandFrames,
  commandHeartbeat,
  delimited,
  framed,
  lengthPrefixed,
} from 'iocp-net/framing';
import type { Codec, CommandFrame, CommandMessage, Framed, Payload } from 'iocp-net/framing';

const plain: Codec<Buffer, Payload> = lengthPrefixed();
const plainFrames: Buffer[] = plain.decoder().push(plain.encode('text'));
void plainFrames;

const codec = lengthPrefixed({
  before: { magic: { bytes: 2 } },
  after: { id: 'uint64', kind: 'uint8' },
});
const bytes: Buffer = codec.encode({ magic: new Uint8Array(2), id: 1n, kind: 2, payload: 'text' });
codec.decoder().push(bytes, (frame) => {
  const id: bigint = frame.id;
  const kind: number = frame.kind;
  const magic: Buffer = frame.magic;
  const payload: Buffer = frame.payload;
  void [id, kind, magic, payload];
});

// @ts-expect-error -- a field is missing
codec.encode({ magic: new Uint8Array(2), id: 1n });
// @ts-expect-error -- a number is no bigint
codec.encode({ magic: new Uint8Array(2), id: 1, kind: 2 });
// @ts-expect-error -- no such type
lengthPrefixed({ after: { id: 'uint9' } });
// @ts-expect-error -- no such width
lengthPrefixed({ lengthBytes: 5 });

const connection: Framed<CommandFrame, CommandMessage> = framed(net.connect(1), commandFrames(), {
  heartbeat: commandHeartbeat({ interval: 1000, timeout: undefined }),
  onFrame: (frame, { send }) => void [frame.commandType, send],
  signal: new AbortController().signal,
});
const more: boolean = connection.send({ commandType: 1 });
void more;

export async function read(): Promise<number> {
  let sum = 0;
  for await (const { commandType, payload } of connection) sum += commandType + payload.length;
  for await (const line of framed(net.connect(1), delimited())) sum += line.length;
  return sum;
}
