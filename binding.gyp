{
  'includes': ['deps/common.gypi'],
  'targets': [
    {
      'target_name': 'iocp_net',
      'type': 'loadable_module',
      'dependencies': ['deps/completion-port/completion-port.gyp:completion_port'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      'sources': ['<!@(node deps/list-sources.mjs <(OS) src/binding)'],
    },
  ],
}
