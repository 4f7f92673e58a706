// Addresses as text. The accepted and printed forms are libuv's, which Node shows.
#include "completion_port/address.h"
#include "testing.h"

namespace completion_port::test {
namespace {

struct Row {
  const char* text;
  const char* printed;  // null: not an address
};

constexpr Row kRows[] = {
    {"127.0.0.1", "127.0.0.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"1.2.3.4", "1.2.3.4"},
    {"256.0.0.1", nullptr},
    {"1.2.3", nullptr},
    {"1.2.3.4.5", nullptr},
    {"1.2.3.4 ", nullptr},
    {" 1.2.3.4", nullptr},
    {"1.2.3.04", nullptr},  // octal to some: to none here
    {"1.2..4", nullptr},
    {"1.2.3.-4", nullptr},
    {"0x7f.0.0.1", nullptr},
    {"1.2.3.4%eth0", nullptr},
    {"", nullptr},
    {"localhost", nullptr},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"fe80::1", "fe80::1"},
    {"FE80::ABCD", "fe80::abcd"},
    {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
    {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},  // one group alone is not shortened
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},    // the longest run
    {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},  // the first of equals
    {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
    {"::ffff:102:304", "::ffff:1.2.3.4"},
    {"::1.2.3.4", "::1.2.3.4"},
    {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"1:2:3:4:5:6:7:1.2.3.4", nullptr},
    {"::1.2.3.256", nullptr},
    {"1:2:3:4:5:6:7", nullptr},
    {"1:2:3:4:5:6:7:8:9", nullptr},
    {"1::2::3", nullptr},
    {":::", nullptr},
    {":1", nullptr},
    {"1:", nullptr},
    {"12345::", nullptr},
    {"::g", nullptr},
    {"[::1]", nullptr},
    {"::1%", nullptr},
    {"1:2:3:4:5:6:7:8::", nullptr},
};

}  // namespace

TEST(AddressesParseAndPrint) {
  for (const Row& row : kRows) {
    Address address;
    address.port = 99;
    const Error error = ParseAddress(row.text, 1234, &address);
    if (row.printed == nullptr) {
      if (error != Error::kInvalidArgument) Fail(__FILE__, __LINE__, row.text);
      CHECK_EQ(error, Error::kInvalidArgument);
      CHECK(address.family == Family::kNone && address.port == 99);  // untouched
      continue;
    }
    if (error != Error::kOk) Fail(__FILE__, __LINE__, row.text);
    CHECK_EQ(FormatAddress(address), std::string(row.printed));
    CHECK_EQ(address.port, 1234);
    // What is printed means the same.
    Address again;
    CHECK_EQ(ParseAddress(row.printed, 1234, &again), Error::kOk);
    CHECK(again.family == address.family);
    CHECK(std::string(again.bytes, again.bytes + 16) ==
          std::string(address.bytes, address.bytes + 16));
  }
}

TEST(AddressesWithZones) {
  Address address;
  REQUIRE_EQ(ParseAddress("fe80::1%3", 80, &address), Error::kOk);
  CHECK_EQ(address.scope_id, 3);
  CHECK_EQ(ParseAddress("fe80::1%0", 80, &address), Error::kInvalidArgument);
  CHECK_EQ(ParseAddress("fe80::1%nowhere", 80, &address), Error::kInvalidArgument);
  CHECK_EQ(ParseAddress("fe80::1%99999999999", 80, &address), Error::kInvalidArgument);
  CHECK_EQ(ParseAddress("fe80::1%" + std::string(1000, 'x'), 80, &address),
           Error::kInvalidArgument);
#ifndef _WIN32
  // By name: the loopback has index 1 wherever there is one.
  if (ParseAddress("fe80::1%lo", 80, &address) == Error::kOk) {
    CHECK(address.scope_id != 0);
    CHECK_EQ(FormatAddress(address), std::string("fe80::1%lo"));
  }
#endif
  address = Address();
  CHECK_EQ(FormatAddress(address), std::string());
}

TEST(AddressesOfRandomBytesComeBack) {
  Random random(Seed());
  for (int i = 0; i < 20000; ++i) {
    Address address;
    address.family = random.OneIn(4) ? Family::kIpv4 : Family::kIpv6;
    const int length = address.family == Family::kIpv4 ? 4 : 16;
    for (int k = 0; k < length; ++k) {
      address.bytes[k] = random.OneIn(2) ? 0 : static_cast<std::uint8_t>(random.Next());
    }
    Address again;
    REQUIRE_EQ(ParseAddress(FormatAddress(address), 0, &again), Error::kOk);
    REQUIRE(again.family == address.family);
    REQUIRE(std::string(again.bytes, again.bytes + 16) ==
            std::string(address.bytes, address.bytes + 16));
  }
}

TEST(NonsenseIsNoAddress) {
  Random random(Seed());
  const std::string alphabet = "0123456789abcdef::..%xg ";
  for (int i = 0; i < 100000; ++i) {
    std::string text;
    for (std::uint32_t n = random.Below(45); n > 0; --n) {
      text += alphabet[random.Below(static_cast<std::uint32_t>(alphabet.size()))];
    }
    Address address;
    if (ParseAddress(text, 0, &address) != Error::kOk) continue;
    CHECK(address.family != Family::kNone);
    Address again;
    CHECK_EQ(ParseAddress(FormatAddress(address), 0, &again), Error::kOk);
  }
}

}  // namespace completion_port::test
