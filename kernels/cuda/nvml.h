// The NVIDIA Management Library, opened at run time: it comes with the driver, not with CUDA.
#pragma once

#include <string>

#include "archwright_cuda.h"

namespace archwright::cuda {

// State of the device with this PCI bus id; -1 in fields that are not told. Throws `Error`
// (AW_CUDA_UNSUPPORTED) where there is no library or it does not know the device.
aw_cuda_state readState(const std::string& pciBusId);

}  // namespace archwright::cuda
