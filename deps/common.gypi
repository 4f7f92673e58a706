# Flags of every target we compile, whoever drives gyp: node-gyp (native
# builds, MSVC included) or scripts/gyp.mjs (core tests, sanitizers, and the
# Windows build made on Linux, which sets mingw=1).
{
  'variables': {
    'sanitize%': 'none',  # none, address (with undefined), thread, or blocks: counts executed blocks
    'mingw%': 0,
  },
  'target_defaults': {
    'defines': [
      'NAPI_VERSION=9',
      # Electron forbids buffers over memory V8 did not allocate.
      'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED',
    ],
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
      ['OS=="linux"', {
        'cflags': ['-fstack-protector-strong', '-pthread'],
        'ldflags': ['-pthread', '-Wl,-z,relro,-z,now'],
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
          '_WIN32_WINNT=0x0A00',
          '_CRT_SECURE_NO_WARNINGS',
        ],
        'msvs_settings': {
          'VCCLCompilerTool': {
            'WarningLevel': 4,
            'ExceptionHandling': 0,
            'AdditionalOptions!': ['/std:c++17', '-std:c++17'],
            'AdditionalOptions': ['/std:c++20', '/guard:cf', '/utf-8', '/Brepro'],
          },
          'VCLinkerTool': {
            'AdditionalOptions': ['/guard:cf', '/Brepro'],
          },
        },
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
      ['sanitize=="thread"', {
        'cflags': ['-fsanitize=thread', '-fno-omit-frame-pointer'],
        'ldflags': ['-fsanitize=thread'],
      }],
    ],
  },
}
