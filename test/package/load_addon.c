// Has the loader of the system's C library load an addon, as process.dlopen() does. Prints TAP.
//
//   load-addon FILE
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 2) {
    fputs("usage: load-addon FILE\n", stderr);
    return 2;
  }
  void* addon = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (addon == NULL) {
    printf("not ok 1 - loads: %s\n1..1\n", dlerror());
    return 1;
  }
  void* entry = dlsym(addon, "napi_register_module_v1");
  printf("ok 1 - loads\n%sok 2 - has an entry for Node\n1..2\n", entry == NULL ? "not " : "");
  return entry == NULL;
}
