// Makes the addon a module of Node-API. A file of its own, because a test's build of the addon has
// more to offer (test/sim).
#include "addon.h"

namespace iocp_net {

NODE_API_MODULE(iocp_net, Init)

}  // namespace iocp_net
