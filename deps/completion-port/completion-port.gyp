# The stand-alone completion core. Nothing here knows Node.
{
  'includes': ['../common.gypi'],
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
      'conditions': [
        ['OS=="linux"', {
          # Calls that tests can let fail (test/faults_linux.h).
          'ldflags': [
            '-Wl,--wrap=socket,--wrap=bind,--wrap=listen,--wrap=accept4,--wrap=connect',
            '-Wl,--wrap=shutdown,--wrap=send,--wrap=sendmsg,--wrap=recv,--wrap=recvmsg',
            '-Wl,--wrap=setsockopt,--wrap=getsockopt,--wrap=fcntl,--wrap=epoll_create1',
            '-Wl,--wrap=epoll_ctl,--wrap=epoll_wait,--wrap=eventfd,--wrap=timerfd_create',
            '-Wl,--wrap=timerfd_settime,--wrap=mmap,--wrap=syscall,--wrap=pthread_create',
          ],
        }],
      ],
    },
    {
      # The core on a simulated system, in one thread: test/sim takes the place of posix/, linux/
      # and the backends.
      'target_name': 'completion_port_sim',
      'type': 'executable',
      'include_dirs': ['include', 'src', 'test'],
      'sources': [
        '<!@(node ../list-sources.mjs sim src)',
        '<!@(node ../list-sources.mjs sim test/sim)',
      ],
      'sources!': ['src/select.cc'],  # names the real backends
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
