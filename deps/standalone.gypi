# What node-gyp would otherwise provide, for scripts/gyp.mjs: it runs gyp
# without Node's own headers, against node-api-headers. Anything beyond
# Node-API does not compile here, which is the point.
{
  'variables': {
    'standalone_static_library': 1,
    'node_api_include%': '',
    'node_import_library%': '',
    'optimization%': '-O2',
    'mingw%': 0,
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
        # A user's machine has none of gcc's DLLs.
        'ldflags': ['-static', '-static-libgcc', '-static-libstdc++'],
        'target_conditions': [
          ['_type=="executable"', {'product_extension': 'exe'}],
          ['_type=="loadable_module"', {
            'ldflags': ['-Wl,--no-insert-timestamp'],
            # A delay-import library bound to the running executable by the
            # hook, so the addon also loads in a renamed node.exe (Electron).
            'sources': ['delay-load-hook.cc'],
            'libraries': ['<(node_import_library)', '-ldelayimp'],
          }],
        ],
      }],
    ],
  },
}
