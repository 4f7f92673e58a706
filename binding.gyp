{
  'includes': ['deps/common.gypi'],
  'targets': [
    {
      'target_name': 'iocp_net',
      'type': 'loadable_module',
      'dependencies': ['deps/completion-port/completion-port.gyp:completion_port'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      # A worker that is being terminated lets no more exceptions be thrown: its calls into here
      # fail, and without the second its process would end with them.
      'defines': [
        'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'sources': ['<!@(node deps/list-sources.mjs <(OS) src/binding)'],
    },
  ],
}
