// Text to address and back. Written out here rather than taken from the OS, because the systems
// differ in what they accept and print, and Node (by libuv's own code) does not.
#include "completion_port/address.h"

#ifndef _WIN32
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>
#endif

#include <cstdio>
#include <cstring>

namespace completion_port {

namespace {

// Up to `max_digits` digits of base 10 or 16 from the front of `text`; -1 when there is none.
// A zero may not lead in base 10: some readers would take it for octal.
int TakeNumber(std::string_view* text, int base, std::size_t max_digits) {
  int value = 0;
  std::size_t digits = 0;
  for (; digits < text->size() && digits < max_digits; ++digits) {
    const char c = (*text)[digits];
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (base == 16 && c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (base == 16 && c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) break;
    if (base == 10 && digits > 0 && value == 0) return -1;
    value = value * base + digit;
  }
  if (digits == 0) return -1;
  text->remove_prefix(digits);
  return value;
}

bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

bool ParseIpv4(std::string_view text, std::uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && !TakeChar(&text, '.')) return false;
    const int value = TakeNumber(&text, 10, 3);
    if (value < 0 || value > 255) return false;
    bytes[i] = static_cast<std::uint8_t>(value);
  }
  return text.empty();
}

// Groups up to the end of `text` or to "::", which stays. The last may be written as IPv4.
// Returns the bytes written, -1 when malformed.
int ParseGroups(std::string_view* text, std::uint8_t* bytes) {
  int length = 0;
  for (;;) {
    const std::string_view group = *text;
    const int value = TakeNumber(text, 16, 4);
    if (value < 0) return -1;
    if (!text->empty() && text->front() == '.') {
      if (length > 12 || !ParseIpv4(group, bytes + length)) return -1;
      text->remove_prefix(text->size());
      return length + 4;
    }
    if (length > 14) return -1;
    bytes[length++] = static_cast<std::uint8_t>(value >> 8);
    bytes[length++] = static_cast<std::uint8_t>(value);
    if (text->empty() || text->substr(0, 2) == "::") return length;
    if (!TakeChar(text, ':')) return -1;
  }
}

bool ParseIpv6(std::string_view text, std::uint8_t* bytes) {
  std::uint8_t head[16] = {};
  std::uint8_t tail[16] = {};
  int head_length = 0;
  if (text.substr(0, 2) != "::") head_length = ParseGroups(&text, head);
  if (head_length < 0) return false;
  std::memcpy(bytes, head, 16);
  if (text.empty()) return head_length == 16;
  text.remove_prefix(2);
  const int tail_length = text.empty() ? 0 : ParseGroups(&text, tail);
  // "::" stands for at least one group.
  if (tail_length < 0 || !text.empty() || head_length + tail_length > 14) return false;
  std::memcpy(bytes + 16 - tail_length, tail, static_cast<std::size_t>(tail_length));
  return true;
}

// "eth0" or "2". On Windows zones are numbers only, as Node has them there.
bool ParseZone(std::string_view zone, std::uint32_t* scope_id) {
#ifndef _WIN32
  char name[IF_NAMESIZE] = {};
  if (zone.size() < sizeof name) {
    std::memcpy(name, zone.data(), zone.size());
    *scope_id = if_nametoindex(name);
    if (*scope_id != 0) return true;
  }
#endif
  const int number = TakeNumber(&zone, 10, 9);
  *scope_id = static_cast<std::uint32_t>(number);
  return number > 0 && zone.empty();
}

// The longest run of at least two zero groups, the first of equals (RFC 5952, section 4.2).
struct ZeroRun {
  int begin = -1;
  int length = 1;
};

ZeroRun LongestZeroRun(const unsigned (&groups)[8]) {
  ZeroRun best;
  for (int i = 0; i < 8; ++i) {
    int end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best.length) best = {i, end - i};
    if (end > i) i = end;
  }
  return best;
}

std::string FormatIpv4(const std::uint8_t* bytes) {
  char text[16];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
  return text;
}

// ::ffff:1.2.3.4 (mapped) and the old ::1.2.3.4 (compatible).
bool EndsAsIpv4(const unsigned (&groups)[8], const ZeroRun& run) {
  if (run.begin != 0) return false;
  return run.length == 6 || (run.length == 7 && groups[7] != 1) ||
         (run.length == 5 && groups[5] == 0xffff);
}

std::string FormatIpv6(const std::uint8_t* bytes) {
  unsigned groups[8];
  for (std::size_t i = 0; i < 8; ++i) groups[i] = unsigned{bytes[2 * i]} << 8 | bytes[2 * i + 1];
  const ZeroRun run = LongestZeroRun(groups);
  const bool ends_as_ipv4 = EndsAsIpv4(groups, run);
  std::string text;
  for (int i = 0; i < 8; ++i) {
    if (i == run.begin) {
      text += "::";
      i += run.length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    if (i == 6 && ends_as_ipv4) return text + FormatIpv4(bytes + 12);
    char group[8];
    std::snprintf(group, sizeof group, "%x", groups[i]);
    text += group;
  }
  return text;
}

std::string FormatZone(std::uint32_t scope_id) {
#ifndef _WIN32
  char name[IF_NAMESIZE];
  if (if_indextoname(scope_id, name) != nullptr) return name;
#endif
  return std::to_string(scope_id);
}

bool IsLinkLocal(const Address& address) {
  return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}

}  // namespace

Error ParseAddress(std::string_view text, std::uint16_t port, Address* out) {
  Address address;
  address.port = port;
  if (ParseIpv4(text, address.bytes)) {
    address.family = Family::kIpv4;
    *out = address;
    return Error::kOk;
  }
  address = Address();
  address.port = port;
  address.family = Family::kIpv6;
  const std::size_t percent = text.find('%');
  if (!ParseIpv6(text.substr(0, percent), address.bytes)) return Error::kInvalidArgument;
  if (percent != std::string_view::npos &&
      !ParseZone(text.substr(percent + 1), &address.scope_id)) {
    return Error::kInvalidArgument;
  }
  *out = address;
  return Error::kOk;
}

Error ParsePath(std::string_view path, Address* out) {
  if (path.empty()) return Error::kInvalidArgument;
#ifdef __linux__
  const bool is_abstract = path.front() == '\0';  // there a NUL is a byte like any other
#else
  const bool is_abstract = false;
#endif
  if (!is_abstract && path.find('\0') != std::string_view::npos) return Error::kInvalidArgument;
#ifndef _WIN32
  if (path.size() > sizeof(sockaddr_un::sun_path)) return Error::kInvalidArgument;
#endif
  *out = Address();
  out->family = Family::kLocal;
  out->path = path;
  return Error::kOk;
}

std::string FormatAddress(const Address& address) {
  if (address.family == Family::kLocal) return address.path;
  if (address.family == Family::kIpv4) return FormatIpv4(address.bytes);
  if (address.family != Family::kIpv6) return std::string();
  std::string text = FormatIpv6(address.bytes);
  if (address.scope_id != 0 && IsLinkLocal(address)) {
    text += '%';
    text += FormatZone(address.scope_id);
  }
  return text;
}

}  // namespace completion_port
