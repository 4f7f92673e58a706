// Addresses as values: parsed from text, formatted to text, no name lookup.
#ifndef COMPLETION_PORT_ADDRESS_H_
#define COMPLETION_PORT_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "completion_port/error.h"

namespace completion_port {

// kLocal: a path in place of an address. A Unix domain socket; on Windows a named pipe.
enum class Family : std::uint8_t { kNone, kIpv4, kIpv6, kLocal };

struct Address {
  Family family = Family::kNone;
  std::uint16_t port = 0;       // host byte order
  std::uint32_t scope_id = 0;   // IPv6 zone; 0: none
  std::uint8_t bytes[16] = {};  // network byte order; IPv4 uses the first 4
  std::string path;             // kLocal only, in UTF-8
};

// "127.0.0.1", "::1", "fe80::1%eth0" or "fe80::1%2". kInvalidArgument when it is none of these.
Error ParseAddress(std::string_view text, std::uint16_t port, Address* out);

// A path for kLocal: of a socket file, "\0name" for a name in Linux' abstract namespace, or
// "\\.\pipe\name" on Windows. kInvalidArgument when it is empty, too long for the system (108 bytes
// on Linux) or contains a NUL where none belongs. Whether it exists is not asked.
Error ParsePath(std::string_view path, Address* out);

// The address without its port, as Node prints it (RFC 5952, with %zone for a scoped address); the
// path as it is.
std::string FormatAddress(const Address& address);

}  // namespace completion_port

#endif  // COMPLETION_PORT_ADDRESS_H_
