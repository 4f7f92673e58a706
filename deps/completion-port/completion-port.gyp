# The stand-alone completion core. Nothing here knows Node.
{
  'includes': ['../common.gypi'],
  'variables': {
    # Tests take longer to compile than what they test, and mostly wait.
    'optimization_of_tests%': '-O1',
    'simulated_system': [
      'test/sim/fibers.cc',
      'test/sim/kernel.cc',
      'test/sim/sim_accept.cc',
      'test/sim/sim_backend.cc',
      'test/sim/sim_data.cc',
      'test/sim/sim_datagrams.cc',
      'test/sim/system.cc',
      'test/sim/tcp.cc',
    ],
  },
  'targets': [
    {
      'target_name': 'completion_port',
      'type': 'static_library',
      'include_dirs': ['include', 'src'],
      'direct_dependent_settings': {'include_dirs': ['include']},
      'sources': ['<!@(node ../list-sources.mjs <(OS) src)'],
      'conditions': [
        ['OS=="win" and mingw==1', {
          'link_settings': {'libraries': ['-lws2_32', '-lmswsock', '-ladvapi32']},
        }],
        ['OS=="win" and mingw!=1', {
          'link_settings': {'libraries': ['-lws2_32.lib', '-lmswsock.lib', '-ladvapi32.lib']},
        }],
      ],
    },
    {
      'target_name': 'completion_port_test',
      'type': 'executable',
      'dependencies': ['completion_port'],
      'include_dirs': ['include', 'src', 'test'],
      'sources': ['<!@(node ../list-sources.mjs <(OS) test)'],
      'configurations': {
        'Release': {'cflags': ['<(optimization_of_tests)']},  # the last one counts
      },
      'conditions': [
        ['OS=="linux"', {
          # Calls that tests can let fail (test/faults_linux.h).
          'ldflags': [
            '-Wl,--wrap=socket,--wrap=bind,--wrap=listen,--wrap=accept4,--wrap=connect',
            '-Wl,--wrap=shutdown,--wrap=send,--wrap=sendmsg,--wrap=recv,--wrap=recvmsg',
            '-Wl,--wrap=sendfile,--wrap=pread',
            '-Wl,--wrap=setsockopt,--wrap=getsockopt,--wrap=fcntl,--wrap=epoll_create1',
            '-Wl,--wrap=epoll_ctl,--wrap=epoll_wait,--wrap=eventfd,--wrap=timerfd_create',
            '-Wl,--wrap=timerfd_settime,--wrap=mmap,--wrap=syscall,--wrap=pthread_create',
            '-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=_ZnwmRKSt9nothrow_t',
            '-Wl,--wrap=_Znwm',
          ],
        }],
      ],
    },
    {
      # The core on a simulated system: files of test/sim take the place of posix/, linux/ and the
      # backends. Also for the addon of test/sim/native, at the root of the checkout.
      'target_name': 'completion_port_simulated',
      'type': 'static_library',
      'include_dirs': ['include', 'src', 'test'],
      'direct_dependent_settings': {'include_dirs': ['include', 'src', 'test']},
      'sources': [
        '<!@(node ../list-sources.mjs sim src)',
        'src/posix/pages.cc',  # memory is not simulated
        '<@(simulated_system)',
      ],
      'sources!': ['src/select.cc'],  # names the real backends
    },
    {
      # Scenarios of it, in one thread.
      'target_name': 'completion_port_sim',
      'type': 'executable',
      'dependencies': ['completion_port_simulated'],
      'sources': ['<!@(node ../list-sources.mjs sim test/sim)'],
      'sources!': ['<@(simulated_system)'],
    },
    {
      'target_name': 'completion_port_guard',
      'type': 'executable',
      'dependencies': ['completion_port'],
      'include_dirs': ['include', 'src'],
      'sources': ['<!@(node ../list-sources.mjs <(OS) guard)'],
    },
  ],
}
