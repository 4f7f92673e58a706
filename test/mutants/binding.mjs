// Mutations of the binding, and the test that notices each. How they are made:
// scripts/test-mutants.mjs.

import { inFile } from './in-file.mjs';

export const binding = [
  ...inFile(
    'file',
    'src/binding/event_loop.cc',
    [
      'the loop waits in the port without an end',
      `  const bool is_ready = port_->Drive(wait_ms) || has_more_;`,
      `  const bool is_ready = port_->Drive(wait_ms == 0 ? 0 : -1) || has_more_;`,
      'net/timeout',
    ],
    [
      "what arrives is told before libuv's poll",
      `  if (has_new_sockets && HasAcceptedAlone()) DeliverOnce();`,
      `  if (has_new_sockets || delivery_ == Delivery::kDue) DeliverOnce();`,
      'net/turns',
    ],
    [
      'who connects learns of it before who listens',
      `  if (has_new_sockets && HasAcceptedAlone()) DeliverOnce();`,
      `  if (!has_new_sockets && HasAcceptedAlone()) DeliverOnce();`,
      'net/listens-first',
    ],
    [
      'what was done at once waits for the next round',
      `  for (int i = 0; i < kDeliveriesInARow && IsDue(); ++i) {`,
      `  for (int i = 0; i < 1 && IsDue(); ++i) {`,
      'net/phases',
    ],
    [
      'what keeps the process alive does not',
      `  if (!is_closing_) uv_.ref(Holder());`,
      `  if (is_closing_) uv_.ref(Holder());`,
      'net/echo',
    ],
    [
      'what keeps the process alive does so for ever',
      `  if (!is_closing_) uv_.unref(Holder());`,
      `  if (is_closing_) uv_.unref(Holder());`,
      'net/process',
    ],
  ),
  ...inFile(
    'file',
    'src/binding/native_port_data.cc',
    [
      'a text of which the system takes a part is taken as whole',
      `static_cast<std::int32_t>(length << kTextBytesShift) | sent);`,
      `static_cast<std::int32_t>(length << kTextBytesShift | length));`,
      'engine/direct-sends',
    ],
    [
      'latin1 is sent as UTF-8',
      `  if (info[4].As<Napi::Boolean>()) {`,
      `  if (!info[4].As<Napi::Boolean>()) {`,
      'net/texts',
    ],
  ),
  ...inFile('file', 'src/binding/native_handles.cc', [
    'the high half of an address is lost',
    `static_cast<std::uint32_t>(address >> 32);`,
    `0;`,
    'net/backpressure',
  ]),
  ...inFile('file', 'src/binding/port_memory.cc', [
    'the memory of the engine counts as ArrayBuffers',
    `  if (status == napi_no_external_buffers_allowed) {`,
    `  if (status == napi_ok) {`,
    'engine/memory',
  ]),
];
