// Arbitrary text is an address or is refused, and what an address prints is the same address.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "completion_port/address.h"

namespace {

namespace cp = completion_port;

// Only a link-local address is printed with its zone, as Node prints it.
bool HasZone(const cp::Address& address) {
  return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}

bool IsSame(const cp::Address& a, const cp::Address& b) {
  return a.family == b.family && a.port == b.port && a.path == b.path &&
         (a.scope_id == b.scope_id || !HasZone(a)) &&
         std::memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

void PrintsWhatItWas(const cp::Address& address) {
  cp::Address again;
  const std::string printed = cp::FormatAddress(address);
  if (cp::ParseAddress(printed, address.port, &again) != cp::Error::kOk) std::abort();
  if (!IsSame(address, again)) std::abort();
  if (cp::FormatAddress(again) != printed) std::abort();
}

// Any sixteen bytes, of which four are an IPv4 address, too.
void PrintsAnyBytes(std::string_view text) {
  if (text.size() < 16) return;
  cp::Address address;
  address.family = cp::Family::kIpv6;
  std::memcpy(address.bytes, text.data(), 16);
  PrintsWhatItWas(address);
  address = {};
  address.family = cp::Family::kIpv4;
  std::memcpy(address.bytes, text.data(), 4);
  PrintsWhatItWas(address);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of just its size: a byte read behind its end is one that the sanitizer knows.
  const std::string text(reinterpret_cast<const char*>(data), size);
  cp::Address address;
  if (cp::ParseAddress(text, 80, &address) == cp::Error::kOk) PrintsWhatItWas(address);
  cp::Address path;
  if (cp::ParsePath(text, &path) == cp::Error::kOk && cp::FormatAddress(path) != text) std::abort();
  PrintsAnyBytes(text);
  return 0;
}
