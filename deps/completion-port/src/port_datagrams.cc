// Datagram sockets: the control plane and what is received and sent, on the submitter's thread;
// what is awaited, by whoever drives. completion_port/datagram.h says how it all goes together.
#include "os/datagram.h"

#include <algorithm>

#include "port_core.h"

namespace completion_port {

// --- The submitter's calls. They read of a socket what does not change until it is closed.

Error PortCore::PrepareDatagrams(const DatagramOptions& options, DatagramId* id) {
  NativeSocket socket = kInvalidSocket;
  Error error = os::OpenDatagrams(options.local.family, &socket);
  if (error != Error::kOk) return error;
  error = os::BindDatagrams(socket, options);
  DatagramSocket* made = error == Error::kOk ? datagrams_.Allocate(&error) : nullptr;
  if (made == nullptr) {
    os::CloseSocket(socket);
    return error;
  }
  made->socket = socket;
  made->family = options.local.family;
  made->state = DatagramState::kPrepared;
  *id = made->id.load(std::memory_order_relaxed);
  return Error::kOk;
}

Error PortCore::ConnectDatagrams(DatagramId id, const Address& remote) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  if (datagrams == nullptr) return Error::kBadDescriptor;
  if (remote.family == Family::kNone) return os::DisconnectDatagrams(datagrams->socket);
  return os::ConnectDatagrams(datagrams->socket, remote);
}

Error PortCore::DatagramAddress(DatagramId id, Address* out) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  return datagrams == nullptr ? Error::kBadDescriptor : os::LocalAddress(datagrams->socket, out);
}

Error PortCore::DatagramPeer(DatagramId id, Address* out) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  return datagrams == nullptr ? Error::kBadDescriptor : os::PeerAddress(datagrams->socket, out);
}

Error PortCore::SetDatagramOption(DatagramId id, DatagramOption option, int value) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  if (datagrams == nullptr) return Error::kBadDescriptor;
  return os::SetDatagramOption(datagrams->socket, datagrams->family, option, value);
}

Error PortCore::SetMulticastInterface(DatagramId id, const Address& through) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  if (datagrams == nullptr) return Error::kBadDescriptor;
  return os::SetMulticastInterface(datagrams->socket, through);
}

Error PortCore::JoinGroup(DatagramId id, const Membership& membership, bool join) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  if (datagrams == nullptr) return Error::kBadDescriptor;
  const Family family = membership.group.family;
  const auto fits = [family](const Address& address) {
    return address.family == Family::kNone || address.family == family;
  };
  if (family == Family::kNone || !fits(membership.source) || !fits(membership.through)) {
    return Error::kInvalidArgument;
  }
  return os::JoinGroup(datagrams->socket, membership, join);
}

Error PortCore::DatagramBufferSize(DatagramId id, DatagramBuffer buffer, int* bytes) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  if (datagrams == nullptr) return Error::kBadDescriptor;
  return os::DatagramBufferSize(datagrams->socket, buffer, bytes);
}

std::intptr_t PortCore::NativeDatagramHandle(DatagramId id) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  return datagrams == nullptr ? -1 : static_cast<std::intptr_t>(datagrams->socket);
}

std::int32_t PortCore::ReceiveDatagrams(DatagramId id, DatagramRecord* records, std::uint32_t count,
                                        std::uint8_t* payloads) {
  const DatagramSocket* datagrams = datagrams_.Find(id);
  if (datagrams == nullptr) return ToResult(Error::kBadDescriptor);
  const std::int32_t got = os::ReceiveDatagrams(datagrams->socket, records, count, payloads);
  if (got > 0) counters_.Add(Counter::kDatagramsReceived, static_cast<std::uint64_t>(got));
  return got;
}

void PortCore::SendDatagrams(DatagramRecord* records, std::uint32_t count,
                             const std::uint8_t* payloads) {
  for (std::uint32_t done = 0; done < count;) {
    const DatagramId id = records[done].id;
    std::uint32_t run = 1;
    while (done + run < count && records[done + run].id == id) ++run;
    SendRun(id, &records[done], run, payloads);
    done += run;
  }
}

// Those of one socket that follow each other.
void PortCore::SendRun(DatagramId id, DatagramRecord* records, std::uint32_t count,
                       const std::uint8_t* payloads) {
  DatagramSocket* datagrams = datagrams_.Find(id);
  if (datagrams == nullptr) {
    for (std::uint32_t i = 0; i < count; ++i) records[i].result = ToResult(Error::kBadDescriptor);
    return;
  }
  const std::uint32_t tried =
      os::SendDatagrams(datagrams->socket, &datagrams->segmented, records, count, payloads);
  // What stands behind one that the system does not take now waits as well.
  for (std::uint32_t i = tried; i < count; ++i) records[i].result = records[tried].result;
  const auto taken = std::count_if(records, records + tried,
                                   [](const DatagramRecord& record) { return record.result >= 0; });
  counters_.Add(Counter::kDatagramsSent, static_cast<std::uint64_t>(taken));
}

// --- Awaiting

DatagramSocket* PortCore::FindAttached(Opcode opcode, DatagramId id) {
  counters_.AddSubmitted(opcode);
  DatagramSocket* datagrams = datagrams_.Find(id);
  Error error = Error::kOk;
  if (datagrams == nullptr || datagrams->state == DatagramState::kClosing) {
    error = Error::kBadDescriptor;
  } else if (datagrams->state == DatagramState::kPrepared) {
    error = backend_->Attach(*datagrams);
    if (error == Error::kOk) datagrams->state = DatagramState::kAttached;
    counters_.Set(Counter::kDatagramSocketsOpen, datagrams_.Live());
  }
  if (error == Error::kOk) return datagrams;
  Complete(opcode, id, ToResult(error));
  return nullptr;
}

void PortCore::AwaitReadable(const Submission& submission) {
  DatagramSocket* datagrams = FindAttached(Opcode::kAwaitReadable, submission.id);
  if (datagrams == nullptr) return;
  backend_->AwaitReadable(*datagrams, (submission.flags & kMayBeReadable) != 0);
}

void PortCore::AwaitWritable(const Submission& submission) {
  DatagramSocket* datagrams = FindAttached(Opcode::kAwaitWritable, submission.id);
  if (datagrams != nullptr) backend_->AwaitWritable(*datagrams);
}

void PortCore::OnReadable(DatagramSocket& datagrams) {
  Complete(Opcode::kAwaitReadable, datagrams.id.load(std::memory_order_relaxed), 0);
}

void PortCore::OnWritable(DatagramSocket& datagrams, Error error) {
  Complete(Opcode::kAwaitWritable, datagrams.id.load(std::memory_order_relaxed), ToResult(error));
}

// --- Closing

void PortCore::CloseDatagrams(const Submission& submission) {
  counters_.AddSubmitted(Opcode::kCloseDatagrams);
  DatagramSocket* datagrams = datagrams_.Find(submission.id);
  if (datagrams != nullptr) CloseDatagrams(*datagrams);
}

// The descriptor at once, so that its address is free. What the system still has of ours does not
// need it.
void PortCore::CloseDatagrams(DatagramSocket& datagrams) {
  if (datagrams.state == DatagramState::kClosing) return;
  const bool was_attached = datagrams.state == DatagramState::kAttached;
  datagrams.state = DatagramState::kClosing;
  const bool has_ended = !was_attached || backend_->Detach(datagrams);
  os::CloseSocket(datagrams.socket);
  if (has_ended) FreeDatagrams(datagrams);
}

void PortCore::OnDetached(DatagramSocket& datagrams) { FreeDatagrams(datagrams); }

void PortCore::FreeDatagrams(DatagramSocket& datagrams) {
  const DatagramId id = datagrams.id.load(std::memory_order_relaxed);
  datagrams.Recycle();
  datagrams_.Free(&datagrams);
  counters_.Set(Counter::kDatagramSocketsOpen, datagrams_.Live());
  Complete(Opcode::kCloseDatagrams, id, 0);
}

}  // namespace completion_port
