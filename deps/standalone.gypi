# What node-gyp would otherwise provide, for scripts/gyp.mjs: it runs gyp
# without Node's own headers, against node-api-headers. Anything beyond
# Node-API does not compile here, which is the point.
{
  'variables': {
    'standalone_static_library': 1,
    'node_api_include%': '',
    'node_api_imports%': '',  # a source that finds Node-API in the running executable
    'optimization%': '-O2',
    'mingw%': 0,
    'zig%': 0,  # clang and lld in mingw's place
    'link_time%': 0,
  },
  'target_defaults': {
    'default_configuration': 'Release',
    'configurations': {
      'Release': {'cflags': ['<(optimization)', '-g1']},
    },
    'include_dirs': ['<(node_api_include)'],
    'target_conditions': [
      ['_type=="loadable_module"', {
        'product_prefix': '',
        'product_extension': 'node',
        'defines': ['BUILDING_NODE_EXTENSION', 'NODE_GYP_MODULE_NAME=>(_target_name)'],
      }],
      ['_type=="static_library"', {
        'standalone_static_library': 1,  # no thin archives
      }],
    ],
    'conditions': [
      ['OS!="win"', {'cflags': ['-fPIC']}],
      ['mingw==1', {
        # A user's machine has none of gcc's DLLs. zig has nothing else than static ones.
        'conditions': [
          ['zig!=1', {
            'ldflags': ['-static', '-static-libgcc', '-static-libstdc++'],
            'target_conditions': [
              ['_type=="loadable_module"', {'ldflags': ['-Wl,--no-insert-timestamp']}],
            ],
          }],
        ],
        'target_conditions': [
          ['_type=="executable"', {'product_extension': 'exe'}],
          ['_type=="loadable_module"', {'sources': ['<(node_api_imports)']}],
        ],
      }],
    ],
  },
}
