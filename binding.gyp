{'includes': ['deps/common.gypi', 'src/binding/addon.gypi']}
