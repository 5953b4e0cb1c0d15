// The system's clock and the processor's own counter, read at the same moment: over a window their
// differences keep one ratio, unless somebody meddles with the clock.
#pragma once

#include <cstdint>

namespace archwright {

struct ClockPair {
  uint64_t ns;     // CLOCK_MONOTONIC
  uint64_t ticks;  // TSC or CNTVCT; 0 where there is none
};

// Reads again (a few times) when it was interrupted between the two.
ClockPair readClockPair();

}  // namespace archwright
