// Every number that JavaScript has to know about the shared memory, taken from the one header that
// defines it.
#include "layout.h"

#include <cstddef>

#include "completion_port/completion_port.h"
#include "datagram_memory.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

Napi::Object Header(Napi::Env env) {
  Napi::Object header = Napi::Object::New(env);
  header.Set("submissionTail", static_cast<double>(cp::kSubmissionTail));
  header.Set("submissionHead", static_cast<double>(cp::kSubmissionHead));
  header.Set("portAsleep", static_cast<double>(cp::kPortAsleep));
  header.Set("completionTail", static_cast<double>(cp::kCompletionTail));
  header.Set("completionHead", static_cast<double>(cp::kCompletionHead));
  header.Set("consumerAsleep", static_cast<double>(cp::kConsumerAsleep));
  header.Set("completionOverflow", static_cast<double>(cp::kCompletionOverflow));
  header.Set("chunksWanted", static_cast<double>(cp::kChunksWanted));
  header.Set("offload", static_cast<double>(cp::kOffload));
  header.Set("helped", static_cast<double>(cp::kHelped));
  header.Set("driver", static_cast<double>(cp::kDriver));
  return header;
}

Napi::Object Opcodes(Napi::Env env) {
  Napi::Object opcodes = Napi::Object::New(env);
#define X(name, js) opcodes.Set(#js, static_cast<double>(cp::Opcode::name));
  COMPLETION_PORT_OPCODES(X)
#undef X
  return opcodes;
}

// Words of a record, by the field's name.
Napi::Object SubmissionWords(Napi::Env env) {
  Napi::Object words = Napi::Object::New(env);
  words.Set("opcode", static_cast<double>(offsetof(cp::Submission, opcode) / 4));
  words.Set("flags", static_cast<double>(offsetof(cp::Submission, flags) / 4));
  words.Set("id", static_cast<double>(offsetof(cp::Submission, id) / 4));
  words.Set("arg0", static_cast<double>(offsetof(cp::Submission, arg0) / 4));
  words.Set("arg1", static_cast<double>(offsetof(cp::Submission, arg1) / 4));
  words.Set("arg2", static_cast<double>(offsetof(cp::Submission, arg2) / 4));
  words.Set("arg3", static_cast<double>(offsetof(cp::Submission, arg3) / 4));
  return words;
}

Napi::Object CompletionWords(Napi::Env env) {
  Napi::Object words = Napi::Object::New(env);
  words.Set("opcode", static_cast<double>(offsetof(cp::Completion, opcode) / 4));
  words.Set("id", static_cast<double>(offsetof(cp::Completion, id) / 4));
  words.Set("result", static_cast<double>(offsetof(cp::Completion, result) / 4));
  words.Set("arg0", static_cast<double>(offsetof(cp::Completion, arg0) / 4));
  words.Set("arg1", static_cast<double>(offsetof(cp::Completion, arg1) / 4));
  return words;
}

// The memory that datagrams come in and leave by: where its parts begin, in bytes, and words of a
// record, by the field's name.
Napi::Object Datagrams(Napi::Env env) {
  Napi::Object datagrams = Napi::Object::New(env);
  datagrams.Set("batch", static_cast<double>(cp::kDatagramBatch));
  datagrams.Set("room", static_cast<double>(cp::kDatagramRoom));
  datagrams.Set("sendRecords", static_cast<double>(kDatagramSendRecords));
  datagrams.Set("sendBytes", static_cast<double>(kDatagramSendBytes));
  datagrams.Set("receivedAt", static_cast<double>(kDatagramsReceivedAt));
  datagrams.Set("sendAt", static_cast<double>(kDatagramsSendAt));
  datagrams.Set("payloadsAt", static_cast<double>(kDatagramPayloadsAt));
  datagrams.Set("sendPayloadsAt", static_cast<double>(kDatagramSendPayloadsAt));
  datagrams.Set("recordWords", static_cast<std::uint32_t>(cp::kDatagramRecordBytes / 4));
  datagrams.Set("id", static_cast<double>(offsetof(cp::DatagramRecord, id) / 4));
  datagrams.Set("result", static_cast<double>(offsetof(cp::DatagramRecord, result) / 4));
  datagrams.Set("offset", static_cast<double>(offsetof(cp::DatagramRecord, offset) / 4));
  datagrams.Set("length", static_cast<double>(offsetof(cp::DatagramRecord, length) / 4));
  datagrams.Set("family", static_cast<double>(offsetof(cp::DatagramRecord, family) / 4));
  datagrams.Set("port", static_cast<double>(offsetof(cp::DatagramRecord, port) / 4));
  datagrams.Set("scope", static_cast<double>(offsetof(cp::DatagramRecord, scope_id) / 4));
  datagrams.Set("address", static_cast<double>(offsetof(cp::DatagramRecord, address) / 4));
  datagrams.Set("ipv4", static_cast<double>(cp::Family::kIpv4));
  datagrams.Set("ipv6", static_cast<double>(cp::Family::kIpv6));
  return datagrams;
}

Napi::Object DatagramOptions(Napi::Env env) {
  Napi::Object options = Napi::Object::New(env);
  options.Set("broadcast", static_cast<double>(cp::DatagramOption::kBroadcast));
  options.Set("ttl", static_cast<double>(cp::DatagramOption::kTtl));
  options.Set("multicastTtl", static_cast<double>(cp::DatagramOption::kMulticastTtl));
  options.Set("multicastLoopback", static_cast<double>(cp::DatagramOption::kMulticastLoopback));
  return options;
}

Napi::Array Names(Napi::Env env, const std::vector<const char*>& names) {
  Napi::Array array = Napi::Array::New(env, names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    array.Set(static_cast<std::uint32_t>(i), names[i]);
  }
  return array;
}

std::vector<const char*> CounterNames() {
  return {
#define X(name, js) #js,
      COMPLETION_PORT_COUNTERS(X)
#undef X
  };
}

// Indexed by the opcode; 0 is no opcode.
std::vector<const char*> OpcodeNames() {
  return {"none",
#define X(name, js) #js,
          COMPLETION_PORT_OPCODES(X)
#undef X
  };
}

std::vector<const char*> ErrorNames() {
  std::vector<const char*> names;
  names.reserve(static_cast<std::size_t>(cp::Error::kCount));
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(cp::Error::kCount); ++i) {
    names.push_back(cp::ErrorName(static_cast<cp::Error>(i)));
  }
  return names;
}

}  // namespace

Napi::Object ExportLayout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("largestChunkBytes", static_cast<double>(cp::kLargestChunkBytes));
  layout.Set("recordWords", static_cast<double>(cp::kRecordWords));
  layout.Set("header", Header(env));
  layout.Set("opcodes", Opcodes(env));
  layout.Set("submission", SubmissionWords(env));
  layout.Set("completion", CompletionWords(env));
  layout.Set("threadDrives", static_cast<double>(cp::Driver::kThread));
  layout.Set("sendMore", static_cast<double>(cp::kSendMore));
  layout.Set("sendPinned", static_cast<double>(cp::kSendPinned));
  layout.Set("sendFile", static_cast<double>(cp::kSendFile));
  layout.Set("receivePinned", static_cast<double>(cp::kReceivePinned));
  layout.Set("receiveWithdraw", static_cast<double>(cp::kReceiveWithdraw));
  layout.Set("receiveAtOnce", static_cast<double>(cp::kReceiveAtOnce));
  layout.Set("closeReset", static_cast<double>(cp::kCloseReset));
  layout.Set("mayBeReadable", static_cast<double>(cp::kMayBeReadable));
  layout.Set("datagrams", Datagrams(env));
  layout.Set("datagramOptions", DatagramOptions(env));
  layout.Set("acceptShared", static_cast<double>(cp::kAcceptShared));
  layout.Set("closeRelease", static_cast<double>(cp::kCloseRelease));
  layout.Set("submissionsOffset", static_cast<double>(cp::kSubmissionsOffset));
  layout.Set("countersOffset", static_cast<double>(cp::kCountersOffset));
  layout.Set("counters", Names(env, CounterNames()));
  layout.Set("perOpcodeCounters", static_cast<double>(cp::Counter::kPerOpcode));
  layout.Set("opcodeNames", Names(env, OpcodeNames()));
  layout.Set("errors", Names(env, ErrorNames()));
  layout.Set("textBytesShift", static_cast<double>(kTextBytesShift));
  layout.Set("indexMask", static_cast<double>((1u << cp::kSlotIndexBits) - 1));
  layout.Freeze();
  return layout;
}

}  // namespace iocp_net
