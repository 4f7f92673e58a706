// The other ends of connections: sockets of the simulated system that JavaScript plays. They are
// known by their place in a list. See simulation.h.
#include <vector>

#include "simulation.h"

namespace iocp_net::sim {

namespace cp = completion_port;
namespace cs = completion_port::sim;

namespace {

std::vector<cs::Socket*> peers;

std::uint32_t Word(const Napi::CallbackInfo& info, std::size_t at) {
  return info[at].As<Napi::Number>().Uint32Value();
}

cs::Socket* PeerOf(const Napi::CallbackInfo& info) { return peers.at(Word(info, 0)); }

Napi::Value Add(Napi::Env env, cs::Socket* socket) {
  peers.push_back(socket);
  return Napi::Number::New(env, static_cast<double>(peers.size() - 1));
}

// A number where it is one of bytes, the name of an error, or null: it would have to wait.
Napi::Value CountOrError(Napi::Env env, std::int32_t result) {
  if (result > 0) return Napi::Number::New(env, result);
  if (result == 0) return env.Null();
  return Napi::String::New(env, cp::ErrorName(static_cast<cp::Error>(-result)));
}

// listen(backlog): the port's number.
Napi::Value Listen(const Napi::CallbackInfo& info) {
  cs::Socket* listener = System().NewSocket();
  const std::uint16_t port = System().FreePort();
  System().Listen(listener, port, Word(info, 0));
  return Napi::Number::New(info.Env(), port);
}

// accept(port): the peer, or null where nobody waits there.
Napi::Value Accept(const Napi::CallbackInfo& info) {
  const std::uint32_t port = Word(info, 0);
  for (const auto& socket : System().sockets()) {
    if (socket->state != cs::SocketState::kListening || socket->port != port) continue;
    cs::Socket* accepted = System().Accept(socket.get());
    if (accepted != nullptr) return Add(info.Env(), accepted);
  }
  return info.Env().Null();
}

// connect(port): the peer, or null where nobody listens there or its backlog is full.
Napi::Value Connect(const Napi::CallbackInfo& info) {
  cs::Socket* socket = System().NewSocket();
  const cp::Error error = System().Connect(socket, static_cast<std::uint16_t>(Word(info, 0)));
  return error == cp::Error::kOk ? Add(info.Env(), socket) : info.Env().Null();
}

// send(peer, bytes): how many were taken, null or the name of an error.
Napi::Value Send(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  return CountOrError(info.Env(), System().Send(PeerOf(info), bytes.Data(), bytes.ByteLength()));
}

// receive(peer, bytes): how many came, 0 at the end, null or the name of an error.
Napi::Value Receive(const Napi::CallbackInfo& info) {
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  const std::int32_t result = System().Receive(PeerOf(info), bytes.Data(), bytes.ByteLength());
  if (result == 0) return Napi::Number::New(info.Env(), 0);
  if (result == cp::ToResult(cp::Error::kTryAgain)) return info.Env().Null();
  return CountOrError(info.Env(), result);
}

Napi::Value End(const Napi::CallbackInfo& info) {
  System().Shutdown(PeerOf(info));
  return info.Env().Undefined();
}

// close(peer, resets)
Napi::Value Close(const Napi::CallbackInfo& info) {
  cs::Socket* socket = PeerOf(info);
  if (info[1].As<Napi::Boolean>()) socket->resets_on_close = true;
  if (!socket->closed) System().CloseSocket(socket);
  return info.Env().Undefined();
}

// wireOf(peer): the port of the client, which is no other connection's.
Napi::Value WireOf(const Napi::CallbackInfo& info) {
  const cs::Socket* peer = PeerOf(info);
  // A listener's connections have its own.
  const bool is_client = peer->peer->stream > peer->stream;
  return Napi::Number::New(info.Env(), is_client ? peer->port : peer->peer->port);
}

const cs::Socket* ClientOf(std::uint32_t wire) {
  for (const auto& socket : System().sockets()) {
    const bool is_client = socket->peer != nullptr && socket->peer->stream > socket->stream;
    if (is_client && socket->port == wire) return socket.get();
  }
  return nullptr;
}

// wasReset(wire): by one of its ends.
Napi::Value WasReset(const Napi::CallbackInfo& info) {
  const cs::Socket* client = ClientOf(Word(info, 0));
  const bool was = client != nullptr && (client->has_reset || client->peer->has_reset);
  return Napi::Boolean::New(info.Env(), was);
}

// taken(wire, byClient): the bytes that the system has taken of one end.
Napi::Value Taken(const Napi::CallbackInfo& info) {
  const cs::Socket* client = ClientOf(Word(info, 0));
  if (client == nullptr) return Napi::Number::New(info.Env(), 0);
  const cs::Socket* from = info[1].As<Napi::Boolean>() ? client : client->peer;
  return Napi::Number::New(info.Env(), static_cast<double>(from->out.sent));
}

}  // namespace

void ForgetPeers() { peers.clear(); }

void ExportPeers(Napi::Env env, Napi::Object exports) {
  Napi::Object peer = Napi::Object::New(env);
  peer.Set("listen", Napi::Function::New<Listen>(env));
  peer.Set("accept", Napi::Function::New<Accept>(env));
  peer.Set("connect", Napi::Function::New<Connect>(env));
  peer.Set("send", Napi::Function::New<Send>(env));
  peer.Set("receive", Napi::Function::New<Receive>(env));
  peer.Set("end", Napi::Function::New<End>(env));
  peer.Set("close", Napi::Function::New<Close>(env));
  peer.Set("wireOf", Napi::Function::New<WireOf>(env));
  peer.Set("wasReset", Napi::Function::New<WasReset>(env));
  peer.Set("taken", Napi::Function::New<Taken>(env));
  exports.Set("peers", peer);
}

}  // namespace iocp_net::sim
