# The addon: what binding.gyp is made of, in the checkout and where `iocp-net build` makes one. The
# package has none at its root: package managers would take it for a wish to compile at install.
# Dependencies and commands are relative to that binding.gyp, not to this file.
{
  'targets': [
    {
      'target_name': 'iocp_net',
      'type': 'loadable_module',
      'dependencies': ['deps/completion-port/completion-port.gyp:completion_port'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      # In a worker that is being terminated nothing can be thrown any more, and node-addon-api would
      # end the process for it. So arguments are read without conversion, which cannot fail there.
      'defines': [
        'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'sources': ['<!@(node deps/list-sources.mjs <(OS) src/binding)'],
    },
  ],
}
