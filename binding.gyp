{
  "targets": [
    {
      "target_name": "archwright",
      "sources": [
        "kernels/cpu/activation.cc",
        "kernels/cpu/attention.cc",
        "kernels/cpu/augment.cc",
        "kernels/cpu/batch_norm.cc",
        "kernels/cpu/conv.cc",
        "kernels/cpu/conv_shape.cc",
        "kernels/cpu/conv_weight_grad.cc",
        "kernels/cpu/conv_weight_grad_lanes.cc",
        "kernels/cpu/counter.cc",
        "kernels/cpu/cpu_features.cc",
        "kernels/cpu/cross_entropy.cc",
        "kernels/cpu/draw_tensor.cc",
        "kernels/cpu/layer_norm.cc",
        "kernels/cpu/optimizer.cc",
        "kernels/cpu/peak.cc",
        "kernels/cpu/peak_kernels.cc",
        "kernels/cpu/pool_grad.cc",
        "kernels/cpu/small_gemm.cc",
        "native/addon.cc",
        "native/batch_inputs.cc",
        "native/clock_pair.cc",
        "native/convert.cc",
        "native/convert_loop.cc",
        "native/cuda_addon.cc",
        "native/cuda_library.cc",
        "native/custom_op_image.cc",
        "native/custom_op_sequence.cc",
        "native/custom_op_update.cc",
        "native/custom_ops.cc",
        "native/file_lock.cc",
        "native/host.cc",
        "native/loop.cc",
        "native/ort.cc",
        "native/placement.cc",
        "native/process_state.cc",
        "native/provider.cc",
        "native/session.cc",
        "native/timer.cc"
      ],
      "include_dirs": [
        "<!(node -p \"require('node-addon-api').include_dir\")",
        "kernels"
      ],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL"],
      "cflags": ["-O3", "-fno-trapping-math", "-fno-math-errno", "-Wall", "-Wextra"],
      "cflags!": ["-fno-exceptions", "-Wno-unused-parameter"],
      "cflags_cc": ["-std=c++17", "-fvisibility=hidden"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      "conditions": [
        ["OS=='linux'", {"libraries": ["-ldl"]}],
        [
          "OS=='mac'",
          {
            "xcode_settings": {
              "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
              "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
              "GCC_OPTIMIZATION_LEVEL": "3",
              "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
              "MACOSX_DEPLOYMENT_TARGET": "13.4"
            }
          }
        ],
        [
          "OS=='win'",
          {
            "defines": ["NOMINMAX", "WIN32_LEAN_AND_MEAN"],
            "msvs_settings": {
              "VCCLCompilerTool": {
                "ExceptionHandling": 1,
                "AdditionalOptions": ["/std:c++17"]
              }
            }
          }
        ]
      ]
    }
  ]
}
