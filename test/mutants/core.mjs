// Mutations of the core, and the test that notices each. How they are made: scripts/test-mutants.mjs.

import { inFile } from './in-file.mjs';

export const core = [
  ...inFile(
    'core',
    'deps/completion-port/src/port_data.cc',
    [
      'a delivered chunk costs no credit',
      `  --connection.credit;
  PlanTrim();`,
      `  PlanTrim();`,
      'NothingBeyondTheCredit',
    ],
    [
      'a chunk that arrives while closing is leaked',
      `    if (result > 0) chunks_.Release(chunk);
    return ContinueClose(connection);`,
      `    return ContinueClose(connection);`,
      'ChunksDoNotLeak',
    ],
    [
      'the end of a stream is told twice',
      `  --connection.credit;
  Complete(Opcode::kReceive, connection.id.load(std::memory_order_relaxed), result, kNoChunk);`,
      `  Complete(Opcode::kReceive, connection.id.load(std::memory_order_relaxed), result, kNoChunk);
  Complete(Opcode::kReceive, connection.id.load(std::memory_order_relaxed), result, kNoChunk);`,
      'PeerEndsAndThatIsTheEnd',
    ],
    [
      'withdrawn credit is not told',
      `  if (taken != 0) Complete(Opcode::kReceive, id, ToResult(Error::kCanceled), kNoChunk, taken);`,
      `  static_cast<void>(taken);`,
      'WithdrawnCreditReceivesNothing',
    ],
    [
      'the completion of a send is doubled',
      `      Complete(Opcode::kSend, connection.id.load(std::memory_order_relaxed), 0, ended);
    }
    IssueSend(connection);`,
      `      Complete(Opcode::kSend, connection.id.load(std::memory_order_relaxed), 0, ended);
      Complete(Opcode::kSend, connection.id.load(std::memory_order_relaxed), 0, ended);
    }
    IssueSend(connection);`,
      'SendsSmallOnes',
    ],
    [
      'sending is not gone on with after a part',
      `    }
    IssueSend(connection);
  }
  if (connection.state != ConnectionState::kOpen) ContinueClose(connection);`,
      `    }
  }
  if (connection.state != ConnectionState::kOpen) ContinueClose(connection);`,
      'ShortWritesToAVerySlowReader',
    ],
    [
      'empty buffers are completed and not told',
      `    Complete(Opcode::kSend, connection.id.load(std::memory_order_relaxed), 0, empty_requests);`,
      `    static_cast<void>(empty_requests);`,
      'ZeroLengthSends',
    ],
    [
      'failed sends are dropped without a completion',
      `  if (dropped != 0) Complete(Opcode::kSend, id, ToResult(error), dropped, taken);`,
      `  static_cast<void>(dropped + taken);`,
      'PeerResetsWhileASendWaits',
    ],
    [
      'a send that there is no memory to list is not issued',
      `  if (!connection->send_listed) IssueSend(*connection);`,
      ``,
      'AllocationsThatFail',
    ],
    [
      'a refused send overtakes those before it',
      `    if (connection != nullptr && !connection->sends.empty()) {`,
      `    if (connection == nullptr) {`,
      'RefusedSendsKeepTheirPlace',
    ],
    [
      'FIN before the last send',
      `  if (connection->sends.empty()) FinishShutdown(*connection);`,
      `  FinishShutdown(*connection);`,
      'LocalShutdownAfterSends',
    ],
  ),
  ...inFile(
    'core',
    'deps/completion-port/src/port_pinned.cc',
    [
      'a pinned receive overtakes credit',
      `    if (connection.credit != 0 || backend_->IsReceiving(connection)) {`,
      `    if (backend_->IsReceiving(connection)) {`,
      'PinnedIsRefusedWhileCreditIsOut',
    ],
    [
      'a receive into memory that cannot be listed is forgotten',
      `  if (!connection.pinned_listed) RefusePinned(connection);`,
      ``,
      'AllocationsThatFail',
    ],
  ),
  ...inFile(
    'core',
    'deps/completion-port/src/port_close.cc',
    [
      'what the peer owes is not waited for',
      `  connection.owes_drain =
      !os::IsPipe(connection.kind) && (connection.send_side`,
      `  connection.owes_drain =
      os::IsPipe(connection.kind) && (connection.send_side`,
      'EndThenCloseDrainsAPeerThatStillSends',
    ],
    [
      'nothing is drained while sending goes on',
      `  const bool drains = peer_may_send && (connection.owes_drain || sending);`,
      `  const bool drains = peer_may_send && connection.owes_drain;`,
      'CloseWhileThePeerWritesBeforeItReads',
    ],
    [
      'closing does not wait for what is still to be sent',
      `  if (sending) return;
  const bool ended`,
      `  const bool ended`,
      'PoliteCloseWithUnsentData',
    ],
    [
      'linger has no deadline',
      `  if (!lingering_.TryPush({id, os::NowMs() + options_.linger_ms})) CancelAndClose(connection);`,
      `  static_cast<void>(options_.linger_ms);`,
      'LingerHasADeadline',
    ],
    [
      'linger is cut short',
      `lingering_.TryPush({id, os::NowMs() + options_.linger_ms})`,
      `lingering_.TryPush({id, os::NowMs()})`,
      'EndThenCloseDrainsAPeerThatStillSends',
    ],
    [
      'a reset is a polite close',
      `    os::ResetOnClose(connection->socket);
    return CancelAndClose(*connection);`,
      `    return CancelAndClose(*connection);`,
      'ResetCloseIsSeenAsReset',
    ],
  ),
  ...inFile(
    'core',
    'deps/completion-port/src/backend/send_batch_linux.cc',
    [
      'the results of a batch go to others',
      `results[ring.At(i).user_data] = ring.At(i).res;`,
      `results[i] = ring.At(answers - 1 - i).res;`,
      'SendsTogetherWhoTakesNoMore',
    ],
    [
      'a send waits within the batch',
      `static_cast<std::uint32_t>(MSG_DONTWAIT | MSG_NOSIGNAL | gathered.flags);`,
      `static_cast<std::uint32_t>(MSG_WAITALL | MSG_NOSIGNAL | gathered.flags);`,
      'SendsMoreThanFitsTogether',
    ],
    [
      'what the kernel has not taken of a batch counts as sent',
      `    if (results[i] != kUnanswered && results[i] != -EINTR) continue;`,
      `    if (results[i] == kUnanswered) results[i] = 1;
    if (results[i] != -EINTR) continue;`,
      'FaultsOfSendsTogether',
    ],
    [
      'requests that the kernel has not taken stay in the ring',
      `  ring.TakeBack();`,
      ``,
      'FaultsOfSendsTogether',
    ],
    [
      'the io_uring is not used',
      `    state_ = is_open ? State::kUsable : State::kRefused;`,
      `    state_ = State::kRefused;`,
      'SendsToManyByFewCalls',
    ],
  ),
  ...inFile('core', 'deps/completion-port/src/port_core.cc', [
    'an accepted socket is lost where there is no memory to hand it over',
    `    if (!inbox_.TryPush(accepted)) return false;`,
    `    static_cast<void>(inbox_.TryPush(accepted));`,
    'AllocationsThatFail',
  ]),
  ...inFile(
    'core',
    'deps/completion-port/src/backend/epoll.cc',
    [
      'who must not open an io_uring does',
      `  if (!context.batch_sends) batch_sends_.Forbid();`,
      ``,
      'SendsToEachByItselfWhereItMayNot',
    ],
    [
      'in a flood of datagrams connections are looked at in every other turn',
      `  const bool may_be_enough = !datagrams_.HasToReport();`,
      `  const bool may_be_enough = true;`,
      'AFloodOfDatagramsKeepsNoConnectionFromBeingLookedAt',
    ],
  ),
  ...inFile('core', 'deps/completion-port/src/backend/epoll_receive.cc', [
    'a turn that has received ahead sends nothing',
    `  SendSubmitted();  // which Wait() would have made`,
    ``,
    'ReceivingAheadSendsWhatWasSubmitted',
  ]),
  ...inFile(
    'core',
    'deps/completion-port/src/backend/datagrams_linux.cc',
    [
      'datagrams behind a full batch are not told of',
      `  if (may_be_now) notes.readable = true;`,
      `  if (may_be_now) notes.listed = false;`,
      'DatagramsBeyondABatchAreTold',
    ],
    [
      'what an event said while nobody waited is forgotten',
      `  if (notes.readable) List(datagrams);`,
      ``,
      'DatagramsThatCameBeforeTheyWereAwaitedAreTold',
    ],
    [
      'who waits is told at once, whether there is something or not',
      `  if (notes.readable) List(datagrams);`,
      `  List(datagrams);
  notes.readable = true;`,
      'DatagramsThatMayBeSentAreTold',
    ],
  ),
  ...inFile('core', 'deps/completion-port/src/port_datagrams.cc', [
    'a closed datagram socket keeps its address',
    `  os::CloseSocket(datagrams.socket);
  if (has_ended)`,
    `  if (has_ended)`,
    'DatagramsOfAClosedSocketAreToldNoMore',
  ]),
  ...inFile(
    'core',
    'deps/completion-port/src/posix/datagram_send.cc',
    [
      'a datagram that is refused keeps those behind it',
      `    if (error == Error::kTryAgain || error == Error::kNoBufferSpace) break;
    ++done;
  }
  return done;`,
      `    break;
  }
  return done;`,
      'DatagramsThatAreRefusedKeepNobodyElse',
    ],
    [
      'datagrams to different peers are one message',
      `!IsSamePeer(first, next)) break;`,
      `!IsSamePeer(first, first)) break;`,
      'SegmentsAreOfOnePeer',
    ],
    [
      'a message goes on behind a shorter datagram',
      `    if (next.length < first.length) break;`,
      ``,
      'SegmentsArriveAsTheDatagramsTheyWere',
    ],
    [
      'every datagram is a message of its own',
      `  std::uint32_t run = 1;
  while (run <`,
      `  std::uint32_t run = 1;
  while (false && run <`,
      'SegmentsLeaveAsOneMessage',
    ],
    [
      'that a length was refused is forgotten',
      `  segmented->most_bytes = std::min(segmented->most_bytes, length - 1);`,
      `  segmented->most_bytes = std::max(segmented->most_bytes, length - 1);`,
      'SegmentsThatAreTooLongLeaveAlone',
    ],
    [
      'an error of a datagram is taken for one of its message',
      `  return error == Error::kInvalidArgument || error == Error::kMessageTooLong || error == Error::kIo;`,
      `  return error != Error::kTryAgain;`,
      'SegmentsOfWhichTheFirstFails',
    ],
  ),
  ...inFile('core', 'deps/completion-port/src/port_core.cc', [
    'accepted sockets join ports that take none',
    `  if (options.takes_accepted) accepting_.push_back(core.get());`,
    `  accepting_.push_back(core.get());`,
    'SpreadsOverThosePortsAloneThatTakeAccepted',
  ]),
];
