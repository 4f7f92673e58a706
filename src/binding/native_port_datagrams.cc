// Datagram sockets: their control plane, and what is received and sent through the memory of
// datagram_memory.h.
#include "datagram_memory.h"
#include "native_port.h"
#include "values.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

// As libuv has it: a zone that this machine does not know is none.
cp::Error ParseLikeLibuv(const std::string& text, std::uint16_t port, cp::Address* out) {
  const cp::Error error = cp::ParseAddress(text, port, out);
  if (error == cp::Error::kOk) return error;
  return cp::ParseAddress(text.substr(0, text.find('%')), port, out);
}

// From two arguments; where the first is no text, an address of no family.
cp::Error ParsePeerFrom(const Napi::CallbackInfo& info, std::size_t at, cp::Address* out) {
  *out = cp::Address();
  if (!info[at].IsString()) return cp::Error::kOk;
  const auto port = static_cast<std::uint16_t>(info[at + 1].As<Napi::Number>().Uint32Value());
  return ParseLikeLibuv(info[at].As<Napi::String>().Utf8Value(), port, out);
}

// The same without a port.
cp::Error ParseOptional(const Napi::CallbackInfo& info, std::size_t at, cp::Address* out) {
  *out = cp::Address();
  if (!info[at].IsString()) return cp::Error::kOk;
  return ParseLikeLibuv(info[at].As<Napi::String>().Utf8Value(), 0, out);
}

cp::DatagramRecord* RecordAt(const PortMemory& memory, std::size_t bytes, std::uint32_t index) {
  return reinterpret_cast<cp::DatagramRecord*>(memory.start() + bytes) + index;
}

}  // namespace

void NativePort::DefineDatagrams(Napi::Object object) {
  Define<OpenDatagrams>(object, "openDatagrams");
  Define<PrepareDatagrams>(object, "prepareDatagrams");
  Define<ConnectDatagrams>(object, "connectDatagrams");
  Define<DatagramAddress>(object, "datagramAddress");
  Define<DatagramPeer>(object, "datagramPeer");
  Define<SetDatagramOption>(object, "setDatagramOption");
  Define<SetMulticastInterface>(object, "setMulticastInterface");
  Define<JoinGroup>(object, "joinGroup");
  Define<DatagramBufferSize>(object, "datagramBufferSize");
  Define<NativeDatagramHandle>(object, "nativeDatagramHandle");
  Define<DuplicateDatagrams>(object, "duplicateDatagrams");
  Define<ReceiveDatagrams>(object, "receiveDatagrams");
  Define<SendDatagrams>(object, "sendDatagrams");
  Define<ParsePeer>(object, "parsePeer");
  Define<FormatPeer>(object, "formatPeer");
}

// openDatagrams(object): gives it the memory, as `datagrams`. False where there is none.
Napi::Value NativePort::OpenDatagrams(const Napi::CallbackInfo& info) {
  const bool opened = Of(info).datagrams_.Open(info.Env(), kDatagramMemoryBytes, "datagrams",
                                               info[0].As<Napi::Object>());
  return Napi::Boolean::New(info.Env(), opened);
}

// prepareDatagrams(address, port, ipv6Only, reuseAddress, reusePort): id or error name.
Napi::Value NativePort::PrepareDatagrams(const Napi::CallbackInfo& info) {
  cp::DatagramOptions options;
  std::uint32_t id = 0;
  cp::Error error = ParsePeerFrom(info, 0, &options.local);
  options.ipv6_only = info[2].As<Napi::Boolean>();
  options.reuse_address = info[3].As<Napi::Boolean>();
  options.reuse_port = info[4].As<Napi::Boolean>();
  if (error == cp::Error::kOk) error = Of(info).port_->PrepareDatagrams(options, &id);
  return IdOrError(info.Env(), error, id);
}

// connectDatagrams(id, address, port); without an address it disconnects.
Napi::Value NativePort::ConnectDatagrams(const Napi::CallbackInfo& info) {
  cp::Address remote;
  cp::Error error = ParsePeerFrom(info, 1, &remote);
  if (error == cp::Error::kOk) error = Of(info).port_->ConnectDatagrams(Id(info), remote);
  return Result(info.Env(), error);
}

Napi::Value NativePort::DatagramAddress(const Napi::CallbackInfo& info) {
  cp::Address address;
  const cp::Error error = Of(info).port_->DatagramAddress(Id(info), &address);
  return AddressOrError(info.Env(), error, address);
}

Napi::Value NativePort::DatagramPeer(const Napi::CallbackInfo& info) {
  cp::Address address;
  const cp::Error error = Of(info).port_->DatagramPeer(Id(info), &address);
  return AddressOrError(info.Env(), error, address);
}

// setDatagramOption(id, option, value)
Napi::Value NativePort::SetDatagramOption(const Napi::CallbackInfo& info) {
  const auto option = static_cast<cp::DatagramOption>(Word(info, 1));
  return Result(info.Env(), Of(info).port_->SetDatagramOption(
                                Id(info), option, info[2].As<Napi::Number>().Int32Value()));
}

// setMulticastInterface(id, address)
Napi::Value NativePort::SetMulticastInterface(const Napi::CallbackInfo& info) {
  cp::Address through;
  cp::Error error = ParseOptional(info, 1, &through);
  if (error == cp::Error::kOk) error = Of(info).port_->SetMulticastInterface(Id(info), through);
  return Result(info.Env(), error);
}

// joinGroup(id, join, group, source, interface); the last two may be undefined.
Napi::Value NativePort::JoinGroup(const Napi::CallbackInfo& info) {
  cp::Membership membership;
  cp::Error error = ParseOptional(info, 2, &membership.group);
  if (error == cp::Error::kOk) error = ParseOptional(info, 3, &membership.source);
  if (error == cp::Error::kOk) error = ParseOptional(info, 4, &membership.through);
  if (error == cp::Error::kOk) {
    error = Of(info).port_->JoinGroup(Id(info), membership, info[1].As<Napi::Boolean>());
  }
  return Result(info.Env(), error);
}

// datagramBufferSize(id, ofReceive, bytes): bytes, or an error below 0.
Napi::Value NativePort::DatagramBufferSize(const Napi::CallbackInfo& info) {
  const bool of_receive = info[1].As<Napi::Boolean>();
  int bytes = info[2].As<Napi::Number>().Int32Value();
  const cp::Error error = Of(info).port_->DatagramBufferSize(
      Id(info), of_receive ? cp::DatagramBuffer::kReceive : cp::DatagramBuffer::kSend, &bytes);
  if (error != cp::Error::kOk) return Result(info.Env(), error);
  return Napi::Number::New(info.Env(), bytes);
}

Napi::Value NativePort::NativeDatagramHandle(const Napi::CallbackInfo& info) {
  const std::intptr_t native = Of(info).port_->NativeDatagramHandle(Id(info));
  return Napi::Number::New(info.Env(), static_cast<double>(native));
}

Napi::Value NativePort::DuplicateDatagrams(const Napi::CallbackInfo& info) {
  std::intptr_t native = Of(info).port_->NativeDatagramHandle(Id(info));
  const cp::Error error =
      native < 0 ? cp::Error::kBadDescriptor : cp::DuplicateNative(native, &native);
  return HandleOrError(info.Env(), error, native);
}

// receiveDatagrams(id): how many stand in the memory now, or an error below 0.
Napi::Value NativePort::ReceiveDatagrams(const Napi::CallbackInfo& info) {
  const NativePort& self = Of(info);
  const std::int32_t got = self.port_->ReceiveDatagrams(
      Id(info), RecordAt(self.datagrams_, kDatagramsReceivedAt, 0), cp::kDatagramBatch,
      self.datagrams_.start() + kDatagramPayloadsAt);
  return Napi::Number::New(info.Env(), got);
}

// sendDatagrams(count): the first so many of the memory's records have their results then.
Napi::Value NativePort::SendDatagrams(const Napi::CallbackInfo& info) {
  const NativePort& self = Of(info);
  self.port_->SendDatagrams(RecordAt(self.datagrams_, kDatagramsSendAt, 0), Word(info, 0),
                            self.datagrams_.start() + kDatagramSendPayloadsAt);
  return info.Env().Undefined();
}

// parsePeer(index, address): into a record that is to be sent.
Napi::Value NativePort::ParsePeer(const Napi::CallbackInfo& info) {
  cp::Address peer;
  const cp::Error error = ParseLikeLibuv(info[1].As<Napi::String>().Utf8Value(), 0, &peer);
  cp::DatagramRecord& record = *RecordAt(Of(info).datagrams_, kDatagramsSendAt, Word(info, 0));
  record.family = static_cast<std::uint32_t>(peer.family);
  record.scope_id = peer.scope_id;
  for (std::size_t i = 0; i < sizeof record.address; ++i) record.address[i] = peer.bytes[i];
  return Result(info.Env(), error);
}

// formatPeer(index): of a record that was received.
Napi::Value NativePort::FormatPeer(const Napi::CallbackInfo& info) {
  const cp::DatagramRecord& record =
      *RecordAt(Of(info).datagrams_, kDatagramsReceivedAt, Word(info, 0));
  cp::Address peer;
  peer.family = static_cast<cp::Family>(record.family);
  peer.scope_id = record.scope_id;
  for (std::size_t i = 0; i < sizeof record.address; ++i) peer.bytes[i] = record.address[i];
  return Napi::String::New(info.Env(), cp::FormatAddress(peer));
}

}  // namespace iocp_net
