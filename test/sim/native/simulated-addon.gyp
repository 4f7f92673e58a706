# The addon on the simulated system (deps/completion-port/test/sim), and the clock that a process with
# it goes by. For tests alone: scripts/test-sim.mjs builds it.
{
  'includes': ['../../../deps/common.gypi'],
  'targets': [
    {
      'target_name': 'iocp_net_simulated',
      'type': 'loadable_module',
      'dependencies': [
        '../../../deps/completion-port/completion-port.gyp:completion_port_simulated',
      ],
      'include_dirs': [
        '<!(node -p "require(\'node-addon-api\').include_dir")',
        '../../../src/binding',
      ],
      'defines': [
        'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'sources': [
        '<!@(node ../../../deps/list-sources.mjs sim ../../../src/binding)',
        'loop_watch.cc',
        'module.cc',
        'peers.cc',
        'simulation.cc',
      ],
      'sources!': ['../../../src/binding/module.cc'],  # this one has more to offer
    },
    {
      'target_name': 'iocp_net_simulated_clock',
      'type': 'loadable_module',  # for LD_PRELOAD
      'sources': ['clock.cc'],
    },
  ],
}
