// Micro-benchmarks of what this processor can do at best: multiply–adds on its widest vector unit,
// and memory traffic of a triad. Each rate is what all threads got done together in one stretch.
#pragma once

#include <cstddef>
#include <vector>

namespace archwright::kernels {

enum class Peak { kFloat32, kFloat64, kInt8, kBandwidth };

// `repetitions` rates, in operations a second (a multiply–add is two) or bytes a second (both reads
// and the write of the triad count). `bytes`: size of the triad's buffers, all threads together.
// Empty where the processor has no unit for it. Starts `threads` threads of its own; they are
// pinned to nothing.
std::vector<double> measurePeak(Peak peak, int threads, int repetitions, size_t bytes);

}  // namespace archwright::kernels
