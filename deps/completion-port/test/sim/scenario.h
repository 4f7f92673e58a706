// A scenario: what the ports are like, what the consumer and its peers do, one step after another,
// and what chance decides on the way. As text, a scenario can be kept and run again:
//
//   setup driving=1 backend=0 ...
//   step send 0 100 0
//   chance 0 3 1 ...
//   end
//
// A step that makes no sense when its turn comes does nothing; so steps can be left out.
#ifndef COMPLETION_PORT_TEST_SIM_SCENARIO_H_
#define COMPLETION_PORT_TEST_SIM_SCENARIO_H_

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace completion_port::sim {

// Name, and what it is when nothing is said.
#define COMPLETION_PORT_SIM_SETUP(X)                                                  \
  X(driving, 0) /* 0: the submitter; 1: with a helper; 2: a thread */                 \
  X(backend, 0) /* 0: epoll, 1: iocp, 2: io_uring (sim_backend.h) */                  \
  X(ports, 1)   /* of the group */                                                    \
  X(submission_entries, 64)                                                           \
  X(completion_entries, 64)                                                           \
  X(slab_kb, 256) /* for received bytes */                                            \
  X(window, 4096) /* bytes that a connection takes before its peer reads */           \
  X(descriptors, 1000)                                                                \
  X(sockets, 64) /* of a port */                                                      \
  X(linger_ms, 100)                                                                   \
  X(credit, 4)     /* of an accepted socket */                                        \
  X(gives_back, 1) /* 1: a chunk is given back, with credit, as soon as it is read */ \
  X(fault_one_in, 0)                                                                  \
  X(saturates, 0) /* 1: the submitter counts as saturated soon */                     \
  X(stops, 0)     /* 1: stops at the end of the steps, whatever is under way */

struct Config {
#define X(name, value) std::uint32_t name = value;
  COMPLETION_PORT_SIM_SETUP(X)
#undef X
};

#define COMPLETION_PORT_SIM_STEPS(X)                                                         \
  X(listen)         /* a = port */                                                           \
  X(connect)        /* a = port, b = 0: to a peer, 1: to a listener of ours, 2: to nobody */ \
  X(adopt)          /* a = port: a connection that exists */                                 \
  X(send)           /* a = socket, b = bytes, c = 0: slab, 1: memory, 2: in two pieces */    \
  X(send_now)       /* a = socket, b = bytes */                                              \
  X(grant)          /* a = socket, b = credit */                                             \
  X(give_back)      /* a = socket, b = credit */                                             \
  X(pinned)         /* a = socket, b = bytes, c = 1: at once */                              \
  X(withdraw)       /* a = socket */                                                         \
  X(shutdown)       /* a = socket */                                                         \
  X(close)          /* a = socket, b = 0: finish, 1: reset, 2: release */                    \
  X(close_again)    /* a = socket, b as above */                                             \
  X(late)           /* a = socket that is closed, b = which operation */                     \
  X(close_listener) /* a = listener */                                                       \
  X(has_unread)     /* a = socket */                                                         \
  X(submit)         /* a = socket: hands over what is published */                           \
  X(read)           /* a = completions at most, of each port */                              \
  X(drive)          /* a = port, b = ms */                                                   \
  X(sleep)          /* a = us: the consumer sleeps, or is away */                            \
  X(peer_connect)   /* a = listener, b = how many */                                         \
  X(peer_send)      /* a = peer, b = bytes */                                                \
  X(peer_read)      /* a = peer, b = bytes */                                                \
  X(peer_end)       /* a = peer: FIN */                                                      \
  X(peer_close)     /* a = peer */                                                           \
  X(peer_reset)     /* a = peer */

enum class StepKind : std::uint8_t {
#define X(name) name,
  COMPLETION_PORT_SIM_STEPS(X)
#undef X
      kCount
};

struct Step {
  StepKind kind;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
};

struct Scenario {
  Config config;
  std::vector<Step> steps;
  std::vector<std::uint32_t> chance;  // of a replay
};

Scenario Generate(std::uint64_t seed);
std::string ToText(const Scenario& scenario);
std::string ToText(const Step& step);
// The next one in the text. False at its end, and where it says something else (*error then).
bool Parse(std::istream& text, Scenario* out, std::string* error);

}  // namespace completion_port::sim

#endif  // COMPLETION_PORT_TEST_SIM_SCENARIO_H_
