// Named pipes whose server is not ours.
#include "os/socket.h"

#include <string>

#include "local_pair.h"

namespace completion_port::test {
namespace {

// A server that is not ours, in blocking calls.
struct PlainPipeServer {
  PlainPipeServer(const std::string& path, DWORD access, DWORD mode)
      : handle(
            CreateNamedPipeA(path.c_str(), access, mode | PIPE_WAIT, 1, 65536, 65536, 0, nullptr)) {
    CHECK(handle != INVALID_HANDLE_VALUE);
  }
  ~PlainPipeServer() { CloseHandle(handle); }
  std::string Read(DWORD limit = 65536) {
    std::string text(limit, ' ');
    DWORD bytes = 0;
    if (!ReadFile(handle, text.data(), limit, &bytes, nullptr)) bytes = 0;
    text.resize(bytes);
    return text;
  }
  HANDLE handle;
};

}  // namespace

// The server reads in calls that block, so somebody else has to drive meanwhile.
THREAD_TEST(PipeRequestsAreMessages) {
  const Address address = UniquePath();
  PlainPipeServer server(address.path, PIPE_ACCESS_DUPLEX,
                         PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
  Client client(setup);
  Sock* sock = client.ConnectTo(address);
  REQUIRE(sock != nullptr);
  for (int i = 1; i <= 20; ++i) client.Send(sock, std::string(static_cast<std::size_t>(i), 'm'));
  client.SendPart(sock, {'p', 'a', 'r'});
  client.Send(sock, std::vector<std::vector<std::uint8_t>>{{'t', 's'}, {'!'}});
  client.Send(sock, Filled(30000, 'l'));
  client.Flush();
  for (std::size_t i = 1; i <= 20; ++i) CHECK_EQ(server.Read().size(), i);
  CHECK_EQ(server.Read(), std::string("parts!"));
  CHECK_EQ(server.Read().size(), 30000);
  CHECK(client.WaitUntil([&] { return sock->sends.empty(); }));
  // Messages to us are read as bytes.
  client.Grant(sock, 8);
  DWORD bytes = 0;
  const std::string large(10000, 'n');
  CHECK(WriteFile(server.handle, large.data(), static_cast<DWORD>(large.size()), &bytes, nullptr));
  CHECK(client.WaitUntil([&] { return sock->received == large.size(); }));
}

PORT_TEST(PipeOfOneDirection) {
  const Address in = UniquePath();
  PlainPipeServer reader(in.path, PIPE_ACCESS_INBOUND, PIPE_TYPE_BYTE);
  Client client(setup);
  Sock* writes = client.ConnectTo(in);
  REQUIRE(writes != nullptr);
  client.Send(writes, "one way");
  client.Flush();
  CHECK_EQ(reader.Read(), std::string("one way"));
  client.Grant(writes, 1);
  CHECK(client.WaitUntil([&] { return writes->ended.has_value(); }));
  CHECK_EQ(writes->ended.value_or(kNone), Error::kNotConnected);

  const Address out = UniquePath();
  PlainPipeServer writer(out.path, PIPE_ACCESS_OUTBOUND, PIPE_TYPE_BYTE);
  Sock* reads = client.ConnectTo(out);
  REQUIRE(reads != nullptr);
  client.Grant(reads, 2);
  DWORD bytes = 0;
  CHECK(WriteFile(writer.handle, "hello", 5, &bytes, nullptr));
  CHECK(client.WaitUntil([&] { return reads->Text() == "hello"; }));
  client.Send(reads, "wrong way");
  CHECK(client.WaitUntil([&] { return reads->send_results.size() == 1; }));
  CHECK_EQ(At(reads->send_results, 0), Error::kBrokenPipe);
}

PORT_TEST(PipeThatIsDisconnected) {
  const Address address = UniquePath();
  PlainPipeServer server(address.path, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE);
  Client client(setup);
  Sock* sock = client.ConnectTo(address);
  REQUIRE(sock != nullptr);
  client.Grant(sock, 1);
  client.Pass(kQuietMs);
  DisconnectNamedPipe(server.handle);
  CHECK(client.WaitUntil([&] { return sock->ended.has_value(); }));
  CHECK_EQ(sock->ended.value_or(kNone), Error::kBrokenPipe);
}

}  // namespace completion_port::test
