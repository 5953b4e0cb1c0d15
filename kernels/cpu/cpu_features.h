// What of the vector units of this processor the operating system lets us use, asked of the
// processor itself.
#pragma once

namespace archwright::kernels {

struct CpuFeatures {
  bool avx2Fma;
  bool avx512;      // foundation
  bool avx512Vnni;  // byte multiply–adds, 512 bits
  bool avxVnni;     // byte multiply–adds, 256 bits
  bool neonDot;     // byte multiply–adds of ARM, 128 bits
};

const CpuFeatures& cpuFeatures();

}  // namespace archwright::kernels
