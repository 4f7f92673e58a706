# Flags of every target we compile, whoever drives gyp: node-gyp (native
# builds, MSVC included) or scripts/gyp.mjs (core tests, sanitizers, and the
# Windows build made on Linux, which sets mingw=1).
{
  'variables': {
    'sanitize%': 'none',  # none, address (with undefined), thread, blocks: counts executed
    # blocks, or coverage: of lines and branches
    'mingw%': 0,
    'target_arch%': 'x64',  # where Node's own headers do not say it
    'link_time%': 1,  # the linker optimizes, over all files
  },
  'target_defaults': {
    'defines': ['NAPI_VERSION=9'],
    'conditions': [
      ['OS!="win" or mingw==1', {
        # Node's own headers bring an older standard and silence a warning.
        'cflags!': ['-Wno-unused-parameter'],
        'cflags_cc!': ['-std=gnu++14', '-std=gnu++17', '-std=gnu++20', '-std=c++17'],
        'cflags': ['-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
        'cflags_cc': [
          '-std=c++20',
          '-fno-exceptions',
          '-fno-rtti',
          '-fvisibility-inlines-hidden',
        ],
      }],
      # What makes an error in native code harder to use. scripts/check-hardening.mjs holds what was
      # built against it, so a flag that a compiler ignores does not pass unseen.
      ['OS=="linux"', {
        'cflags': ['-fstack-protector-strong', '-pthread'],
        'ldflags': ['-pthread', '-Wl,-z,relro,-z,now,-z,noexecstack'],
      }],
      ['OS=="linux" and sanitize=="none"', {
        # 2, not 3: with a gcc before 12, glibc warns of 3, and warnings are errors. A sanitizer
        # looks at the calls that this one replaces. It needs a build that is optimized.
        'cflags': ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2'],
      }],
      ['OS=="linux" and sanitize=="none" and link_time==1', {
        # A turn goes through some fifty short functions in a dozen files. Inlined, they are 15 % fewer
        # instructions, and of the addon's code less than half is left.
        'cflags': ['-flto=auto'],
        'ldflags': ['-flto=auto', '-O2'],
      }],
      ['OS=="linux" and target_arch=="x64"', {'cflags': ['-fcf-protection=full']}],
      ['OS=="linux" and target_arch=="arm64"', {'cflags': ['-mbranch-protection=standard']}],
      ['mingw==1', {
        # ASLR over all 64 bits, no execution of data. What this linker does by default today.
        # gcc knows no Control Flow Guard, and ld cannot say that a DLL suits shadow stacks.
        'cflags': ['-fstack-protector-strong'],
        'ldflags': [
          '-fstack-protector-strong',
          '-Wl,--dynamicbase,--high-entropy-va,--nxcompat',
        ],
      }],
      ['OS=="mac"', {
        'xcode_settings': {
          'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
          'CLANG_CXX_LIBRARY': 'libc++',
          'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
          'GCC_ENABLE_CPP_RTTI': 'NO',
          'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
          'MACOSX_DEPLOYMENT_TARGET': '11.0',
          'WARNING_CFLAGS': ['-Wall', '-Wextra', '-Werror'],
        },
      }],
      ['OS=="win"', {
        'defines': [
          'NOMINMAX',
          'WIN32_LEAN_AND_MEAN',
          'UNICODE',
          '_UNICODE',
          '_WIN32_WINNT=0x0a00',  # as zig writes it, whose own it is, too
          '_CRT_SECURE_NO_WARNINGS',
        ],
        'msvs_settings': {
          'VCCLCompilerTool': {
            'WarningLevel': 4,
            'BufferSecurityCheck': 'true',  # /GS
            'ExceptionHandling': 0,
            'AdditionalOptions!': ['/std:c++17', '-std:c++17'],
            'AdditionalOptions': ['/std:c++20', '/guard:cf', '/utf-8', '/Brepro'],
          },
          'VCLinkerTool': {
            'RandomizedBaseAddress': 2,  # /DYNAMICBASE
            'DataExecutionPrevention': 2,  # /NXCOMPAT
            'AdditionalOptions': ['/guard:cf', '/HIGHENTROPYVA', '/Brepro'],
          },
        },
        'conditions': [
          # Shadow stacks are a matter of x64; the linker refuses the flag elsewhere.
          ['target_arch=="x64"', {
            'msvs_settings': {'VCLinkerTool': {'AdditionalOptions': ['/CETCOMPAT']}},
          }],
        ],
        'configurations': {
          # Static C runtime: a user's machine needs no redistributable.
          'Release': {'msvs_settings': {'VCCLCompilerTool': {'RuntimeLibrary': 0}}},
          'Debug': {'msvs_settings': {'VCCLCompilerTool': {'RuntimeLibrary': 1}}},
        },
      }],
      ['sanitize=="address"', {
        'cflags': [
          '-fsanitize=address,undefined',
          '-fno-sanitize=vptr',  # needs run-time type information
          '-fno-sanitize-recover=undefined',
          '-fno-omit-frame-pointer',
        ],
        'ldflags': ['-fsanitize=address,undefined'],
      }],
      ['sanitize=="blocks"', {
        # Calls __sanitizer_cov_trace_pc in each basic block (deps/completion-port/guard).
        'cflags': ['-fsanitize-coverage=trace-pc'],
        'defines': ['COUNT_BLOCKS'],
      }],
      ['sanitize=="coverage"', {
        # Several processes add to the same counts, and threads to those of one.
        'cflags': ['--coverage', '-fprofile-update=atomic', '-fno-inline'],
        'ldflags': ['--coverage'],
      }],
      ['sanitize=="thread"', {
        'cflags': ['-fsanitize=thread', '-fno-omit-frame-pointer'],
        'ldflags': ['-fsanitize=thread'],
      }],
    ],
  },
}
