// Datagrams of one size to one peer, which leave as one message where the system cuts it apart
// again. One message leaves by sendmsg, several by sendmmsg: so faults of sendmsg tell them apart.
#include <cerrno>
#include <string>
#include <vector>

#include "datagrams.h"
#include "faults_linux.h"
#include "pair.h"
#include "testing.h"

namespace completion_port::test {
namespace {

// On loopback they are there when the send returns.
constexpr int kWaitMs = 5;
constexpr int kMostWaits = 200;

// A socket that sends and one that receives.
struct Way {
  explicit Way(const Setup& setup) : datagrams(setup) {
    if (!datagrams.client.started()) return;
    receiver = datagrams.Open(Family::kIpv4, &to);
    sender = datagrams.Open();
  }
  bool ready() const { return datagrams.client.started(); }

  void ExpectSent(const std::vector<std::string>& texts) {
    for (const Error error : datagrams.Send(sender, to, texts)) CHECK_EQ(error, Error::kOk);
    ExpectReceived(texts);
  }

  // Whether they were handed over as one message first, which is refused with `os_error`.
  bool SentRefused(const std::vector<std::string>& texts, int os_error) {
    const Fault fault(Call::sendmsg, 1, os_error);
    ExpectSent(texts);
    return fault.Struck();
  }

  void ExpectReceived(const std::vector<std::string>& texts) {
    std::vector<std::string> got;
    for (int waits = 0; got.size() < texts.size() && waits < kMostWaits;) {
      const std::int32_t count = datagrams.Receive(receiver);
      for (std::int32_t i = 0; i < count; ++i) {
        got.push_back(datagrams.Text(static_cast<std::size_t>(i)));
      }
      if (count > 0) continue;
      datagrams.client.Pass(kWaitMs);
      ++waits;
    }
    REQUIRE(got.size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK_EQ(got[i], texts[i]);
  }

  void Close() {
    datagrams.Close(receiver);
    datagrams.Close(sender);
  }

  Datagrams datagrams;
  Address to;
  DatagramId receiver = 0;
  DatagramId sender = 0;
};

// Each is of one letter.
std::vector<std::string> Texts(const std::vector<std::size_t>& sizes) {
  std::vector<std::string> texts;
  for (const std::size_t size : sizes) {
    texts.push_back(std::string(size, static_cast<char>('a' + texts.size() % 26)));
  }
  return texts;
}

}  // namespace

PORT_TEST(SegmentsArriveAsTheDatagramsTheyWere) {
  Way way(setup);
  REQUIRE(way.ready());
  way.ExpectSent(Texts({100, 100, 100}));
  way.ExpectSent(Texts({100, 100, 40}));
  // A longer one, one without bytes and the one behind a shorter one begin anew.
  way.ExpectSent(Texts({100, 100, 40, 100, 100, 200, 200, 0, 0, 200, 1, 1, 1}));
  way.ExpectSent(Texts(std::vector<std::size_t>(kDatagramSendBatch, 1200)));
  way.ExpectSent(Texts(std::vector<std::size_t>(kDatagramSendBatch + 3, 1)));
  way.ExpectSent(Texts({30000, 30000, 20000}));
  way.ExpectSent(Texts({10, 10, 65507}));
  CHECK_EQ(way.datagrams.client.Count(Counter::kDatagramsSent),
           std::uint64_t{3 + 3 + 13 + 2 * kDatagramSendBatch + 3 + 6});
  way.Close();
}

PORT_TEST(SegmentsAreOfOnePeer) {
  Way way(setup);
  REQUIRE(way.ready());
  Datagrams& datagrams = way.datagrams;
  Address other_address;
  const DatagramId other = datagrams.Open(Family::kIpv4, &other_address);
  DatagramRecord sending[6] = {};
  for (std::uint32_t i = 0; i < 6; ++i) {
    const Address& to = i == 2 || i == 3 ? other_address : way.to;
    sending[i].id = way.sender;
    sending[i].length = 1;
    sending[i].offset = i;
    sending[i].family = static_cast<std::uint32_t>(to.family);
    sending[i].port = to.port;
    std::memcpy(sending[i].address, to.bytes, sizeof to.bytes);
  }
  datagrams.client.port()->SendDatagrams(sending, 6,
                                         reinterpret_cast<const std::uint8_t*>("abcdef"));
  for (const DatagramRecord& record : sending) CHECK_EQ(record.result, 1);
  way.ExpectReceived({"a", "b", "e", "f"});
  way.receiver = other;
  way.ExpectReceived({"c", "d"});
  datagrams.client.Stop();
}

PORT_TEST(SegmentsLeaveAsOneMessage) {
  Way way(setup);
  REQUIRE(way.ready());
  CHECK(way.SentRefused(Texts({500, 500, 500}), EIO));
  // Such a socket sends single ones from then on.
  CHECK(!way.SentRefused(Texts({500, 500, 500}), EIO));
  CHECK(!way.SentRefused(Texts({5, 5, 5}), EIO));
  way.Close();
}

PORT_TEST(SegmentsThatAreTooLongLeaveAlone) {
  for (const int os_error : {EINVAL, EMSGSIZE}) {
    Way way(setup);
    REQUIRE(way.ready());
    CHECK(way.SentRefused(Texts({1000, 1000, 1000}), os_error));
    CHECK(!way.SentRefused(Texts({1000, 1000}), os_error));
    // Shorter ones still leave as one.
    CHECK(way.SentRefused(Texts({900, 900}), os_error));
    way.Close();
  }
}

PORT_TEST(SegmentsAreNotToldFromErrorsOfADatagram) {
  Way way(setup);
  REQUIRE(way.ready());
  // Nobody can be at port 0, whatever is sent there.
  Address nowhere = way.to;
  nowhere.port = 0;
  for (const Error error : way.datagrams.Send(way.sender, nowhere, Texts({500, 500, 500}))) {
    CHECK_EQ(error, Error::kInvalidArgument);
  }
  CHECK(way.SentRefused(Texts({500, 500}), EINVAL));
  way.Close();
}

PORT_TEST(SegmentsOfWhichTheFirstFails) {
  Way way(setup);
  REQUIRE(way.ready());
  std::vector<Error> results;
  {
    const Fault fault(Call::sendmsg, 1, ECONNREFUSED);
    results = way.datagrams.Send(way.sender, way.to, Texts({10, 10, 10}));
  }
  CHECK_EQ(At(results, 0), Error::kConnectionRefused);
  CHECK_EQ(At(results, 1), Error::kOk);
  CHECK_EQ(At(results, 2), Error::kOk);
  way.ExpectReceived({std::string(10, 'b'), std::string(10, 'c')});
  {
    const Fault fault(Call::sendmsg, 1, EAGAIN);
    results = way.datagrams.Send(way.sender, way.to, Texts({10, 10, 10}));
  }
  for (const Error error : results) CHECK_EQ(error, Error::kTryAgain);
  way.Close();
}

PORT_TEST(SegmentsAreNotOfferedByEverySystem) {
  Way way(setup);
  REQUIRE(way.ready());
  {
    const Fault fault(Call::getsockopt, 1, ENOPROTOOPT);
    way.ExpectSent(Texts({10, 10, 10}));
    CHECK(fault.Struck());
  }
  CHECK(!way.SentRefused(Texts({10, 10, 10}), EIO));
  way.Close();
}

}  // namespace completion_port::test
