// What we need of the libuv that the running Node contains: its functions, looked up at run time,
// so that the addon links against Node-API alone and loads where there is no libuv.
#ifndef IOCP_NET_BINDING_LIBUV_H_
#define IOCP_NET_BINDING_LIBUV_H_

#include <cstddef>
#include <cstdint>
#include <optional>

struct uv_loop_s;

namespace iocp_net {

// Handles are opaque memory of uv_handle_size() bytes that begins with the user's pointer (uv.h).
struct UvHandle {
  void* data;
};

// The beginning of uv_loop_t, as uv.h has it since 1.0; libuv keeps it for the life of version 1.
struct UvQueue {
  UvQueue* next;
  UvQueue* previous;
};
struct UvLoop {
  void* data;
  unsigned active_handles;
  UvQueue handle_queue;
  void* active_requests;
  void* internal_fields;
  unsigned stop_flag;
#ifdef _WIN32
  void* iocp;
#else
  unsigned long flags;
  int backend_fd;
  UvQueue pending_queue;
  UvQueue watcher_queue;
#endif
};

// uv_handle_type.
enum class UvHandleType : int {
  kAsync = 1,
  kCheck = 2,
  kIdle = 6,
  kPoll = 8,
  kPrepare = 9,
  kProcess = 10,
};

constexpr int kUvReadable = 1;  // of uv_poll_event

using UvCallback = void (*)(UvHandle*);
using UvPollCallback = void (*)(UvHandle*, int status, int events);

struct Libuv {
  // Nothing where one of these is missing.
  static std::optional<Libuv> Find();

  std::size_t (*handle_size)(UvHandleType);
  int (*idle_init)(UvLoop*, UvHandle*);
  int (*idle_start)(UvHandle*, UvCallback);
  int (*idle_stop)(UvHandle*);
  int (*prepare_init)(UvLoop*, UvHandle*);
  int (*prepare_start)(UvHandle*, UvCallback);
  int (*prepare_stop)(UvHandle*);
  int (*check_init)(UvLoop*, UvHandle*);
  int (*check_start)(UvHandle*, UvCallback);
  int (*poll_init)(UvLoop*, UvHandle*, int descriptor);
  int (*poll_start)(UvHandle*, int events, UvPollCallback);
  int (*async_init)(UvLoop*, UvHandle*, UvCallback);
  int (*async_send)(UvHandle*);
  void (*close)(UvHandle*, UvCallback);
  void (*ref)(UvHandle*);
  void (*unref)(UvHandle*);
  void (*update_time)(UvLoop*);
  int (*backend_timeout)(const UvLoop*);
  int (*backend_fd)(const UvLoop*);
};

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_LIBUV_H_
